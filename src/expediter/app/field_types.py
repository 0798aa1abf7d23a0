"""The types of the fields that a customer may send: their forms and limits, as openapi.json has them."""

from typing import Annotated

from msgspec import Meta

from expediter.domain.money import LARGEST_TOTAL
from expediter.domain.order import LARGEST_QUANTITY

#: Characters of a name.
MAX_NAME = 200

#: Characters that end a line, change its direction, or have no width (Unicode's Cc, Cf, Zl, Zp), that are reserved for
#: such ones, or that Unicode gives no meaning: for private use (Co) and noncharacters. What these show depends on the
#: reader's fonts. The joiners U+200C and U+200D are allowed: Persian, Hindi and emoji need them. Other unassigned
#: characters are allowed: each year some become letters and emoji.
HIDDEN = (
    r"\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ue000-\uf8ff\ufdd0-\ufdef\ufeff"
    r"\ufff0-\ufffb\ufffe\uffff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e00ff\U000e01f0-\U000e0fff"
    r"\U000f0000-\U0010ffff"
) + "".join(rf"\U000{plane:x}fffe\U000{plane:x}ffff" for plane in range(1, 15))
#: Characters that are allowed but invisible by themselves: spaces, joiners, fillers, variation selectors.
BLANK = (
    r" \xa0\u034f\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180d\u180f\u2000-\u200a\u200c\u200d\u202f\u205f\u2800\u3000"
    r"\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef"
)
# \Z, because $ also matches before a newline at the end, which would go into a mail's header. Most names are ASCII, and
# the first branch reads them in a third of the time of the second.
VISIBLE = rf"^(?:[!-~][ -~]*|[^{HIDDEN}]*[^{HIDDEN}{BLANK}][^{HIDDEN}]*)\Z"
_PART = rf"[^@{HIDDEN}{BLANK}<>,;:\"\\]+"
#: The form only, as in openapi.json. ``addresses`` has the other rules.
ADDRESS = rf"^(?!\.|.*(?:\.[.@]|@\.|\.\Z)){_PART}@{_PART}\Z"
Name = Annotated[str, Meta(min_length=1, max_length=MAX_NAME, pattern=VISIBLE)]
Email = Annotated[str, Meta(max_length=254, pattern=ADDRESS)]
#: A token has a letter, so that no card number is one.
PaymentMethod = Annotated[str, Meta(max_length=MAX_NAME, pattern=r"^[0-9_-]*[A-Za-z][A-Za-z0-9_-]*\Z")]
#: The caller's own names and values of an order: at most so many pairs, and characters of a name and of a value.
MAX_PAIRS, MAX_KEY, MAX_VALUE = 20, 40, 500
Metadata = Annotated[
    dict[
        Annotated[str, Meta(min_length=1, max_length=MAX_KEY, pattern=VISIBLE)],
        Annotated[str, Meta(max_length=MAX_VALUE, pattern=rf"^[^{HIDDEN}]*\Z")],
    ],
    Meta(max_length=MAX_PAIRS),
]
Currency = Annotated[str, Meta(pattern=r"^[A-Z]{3}\Z")]
Price = Annotated[int, Meta(ge=0, le=LARGEST_TOTAL)]
Digits = Annotated[str, Meta(max_length=20, pattern=r"^0*[1-9][0-9]{0,8}\Z")]
#: A whole number, or its digits in a string (``"3"``).
Quantity = Annotated[int, Meta(ge=1, le=LARGEST_QUANTITY)] | Digits
