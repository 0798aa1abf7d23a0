"""What a release says of itself: only where tag, code and changelog agree."""

import pytest

from scripts.release_notes import notes

CODE = '"""The package."""\n\n__version__ = "1.2.0"\n'
CHANGELOG = """# Changelog

## [Unreleased]

## [1.2.0] - 2026-12-01

### Added

- Something.

## [1.1.0] - 2026-11-01

- Something else.
"""


def test_the_section_of_the_tag_is_printed_without_its_heading() -> None:
    assert notes("v1.2.0", CODE, CHANGELOG) == "### Added\n\n- Something.\n"


def test_the_last_section_ends_with_the_file() -> None:
    assert notes("v1.1.0", CODE.replace("1.2.0", "1.1.0"), CHANGELOG) == "- Something else.\n"


@pytest.mark.parametrize(
    ("tag", "changelog", "said"),
    [
        ("v1.1.0", CHANGELOG, "tag it v1.2.0"),
        ("1.2.0", CHANGELOG, "tag it v1.2.0"),
        ("v1.2.0", CHANGELOG.replace(" - 2026-12-01", ""), "no dated section"),
        ("v1.2.0", CHANGELOG.replace("1.2.0", "1x2.0"), "no dated section"),
        ("v1.2.0", CHANGELOG.replace("### Added\n\n- Something.\n", ""), "is empty"),
    ],
)
def test_where_tag_code_and_changelog_do_not_agree_there_is_no_release(tag: str, changelog: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        notes(tag, CODE, changelog)
