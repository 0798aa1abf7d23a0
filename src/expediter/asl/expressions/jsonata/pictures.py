"""Pictures: texts that say how a number or a time is written (``#,##0.00``, ``[Y0001]-[M01]-[D01]``).

The library makes regular expressions for Python of them, and writes as many digits as they ask for. So they are short,
and what could take long is refused. Source: https://docs.jsonata.org/numeric-functions and
https://docs.jsonata.org/date-time-functions
"""

import re
from typing import Final

from expediter.asl.expressions.jsonata.library import Functions
from expediter.asl.expressions.jsonata.limits import refused
from expediter.asl.protocol import Json

#: Characters of a picture, and of a text that is read by one.
PICTURE: Final = 128
#: What $formatInteger writes; Roman numerals have a letter for each thousand.
_LARGEST: Final = 10**18
_LARGEST_ROMAN: Final = 10**6

_COMPONENT: Final = re.compile(r"\[([^\]\[]*)\]")
#: Components whose digits the library's regular expressions count; all others take as many characters as there are.
_COUNTED: Final = frozenset("YMDHhms")
_OPEN_COMPONENTS: Final = 3


def _picture(value: Json, function: str) -> None:
    if isinstance(value, str) and len(value) > PICTURE:
        raise refused(f"The picture of {function} has more than {PICTURE} characters.")


def format_number(value: Json, picture: Json, options: Json = None) -> Json:
    _picture(picture, "$formatNumber")
    for name, option in (options or {}).items():
        if not isinstance(option, str) or len(option) > (16 if name in {"infinity", "NaN"} else 1):
            raise refused(f"The option {name} of $formatNumber must be one character.")
    return Functions.format_number(value, picture, options)


def format_integer(value: Json, picture: Json) -> Json:
    _picture(picture, "$formatInteger")
    if value is not None and abs(value) > (_LARGEST_ROMAN if str(picture)[:1] in {"I", "i"} else _LARGEST):
        raise refused("The number is too large for $formatInteger and this picture.")
    return Functions.format_integer(value, picture)


def parse_integer(text: Json, picture: Json) -> Json:
    _picture(picture, "$parseInteger")
    if isinstance(text, str) and len(text) > PICTURE:
        raise refused(f"The text of $parseInteger has more than {PICTURE} characters.")
    return Functions.parse_integer(text, picture)


def write_time(millis: Json, picture: Json = None, zone: Json = None) -> Json:
    """A time in milliseconds since 1970 UTC, written as the picture says. Raises JException."""
    _picture(picture, "$fromMillis")
    if isinstance(picture, str):
        for marker in _COMPONENT.findall(picture):
            _, _, width = marker.rpartition(",") if "," in marker else ("", "", "")
            if re.search(r"[0-9]{3}", width):
                raise refused(f"The component [{marker}] of a picture is wider than 99 characters.")
            if re.sub(r"\s", "", marker)[1:2] in {"I", "i"} and millis is not None and abs(millis) > 10**14:
                raise refused("This time cannot be written in Roman numerals.")
    return Functions.datetime_from_millis(millis, picture, zone)


def read_time(text: Json, picture: Json = None) -> Json:
    _picture(picture, "$toMillis")
    if isinstance(text, str) and len(text) > PICTURE:
        raise refused(f"The text of $toMillis has more than {PICTURE} characters.")
    if isinstance(picture, str):
        _check_linear(picture)
    return Functions.datetime_to_millis(text, picture)


def _check_linear(picture: str) -> None:
    """The library makes a regular expression for Python of the picture. It must not be one that can match a text in
    many ways."""
    between = _COMPONENT.sub("", picture)
    if re.search(r"[\\*+?^${}()|\[\]]", between):
        raise refused("Only letters, digits, spaces and plain marks stand between the components of a picture.")
    names = [re.sub(r"\s", "", marker) for marker in _COMPONENT.findall(picture)]
    uncounted = [name for name in names if name[:1] not in _COUNTED or name[1:2].isalpha()]
    if len({name[:1] for name in names}) < len(names) or len(uncounted) > _OPEN_COMPONENTS:
        raise refused(f"A picture of $toMillis has each component once, and at most {_OPEN_COMPONENTS} of any length.")
