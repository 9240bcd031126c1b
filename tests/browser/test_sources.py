# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be told from the files of the pages without a browser."""

import html.parser
import re

import pytest

from sealbridge_service import SOURCE

WWW = SOURCE / "www"
HTML = sorted(WWW.rglob("*.html"))
SCRIPTS = sorted(WWW.rglob("*.js"))
STYLES = sorted(WWW.rglob("*.css"))


def name_of(path):
    return str(path.relative_to(WWW))


class Page(html.parser.HTMLParser):
    """Everything that a page names, and everything inline."""

    def __init__(self, path):
        super().__init__()
        self.targets, self.inline, self.tags = [], [], []
        self.feed(path.read_text())

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.tags.append(tag)
        self.targets += [value for name, value in attrs if name in ("href", "src")]
        self.inline += [name for name, _ in attrs if name == "style" or name.startswith("on")]
        if tag == "style" or (tag == "script" and "src" not in attributes):
            self.inline.append(tag)


@pytest.mark.parametrize("path", HTML, ids=name_of)
def test_nothing_inline_and_nothing_from_elsewhere(path):
    page = Page(path)
    assert page.inline == []
    for target in page.targets:
        assert target.startswith("/") and not target.startswith("//"), target
        assert (WWW / target.lstrip("/").partition("#")[0]).is_file(), target
    assert page.tags.count("main") == 1 and page.tags.count("h1") == 1


@pytest.mark.parametrize("path", SCRIPTS, ids=name_of)
def test_imports_are_there_and_used(path):
    text = path.read_text()
    for names, target in re.findall(r"import \{([^}]*)\} from \"([^\"]+)\"", text):
        file = WWW / target.lstrip("/")
        assert file.is_file(), target
        for name in filter(None, (n.strip() for n in names.split(","))):
            assert len(re.findall(rf"\b{name}\b", text)) > 1, f"{name} is not used"
            assert re.search(
                rf"export (async )?(function|class|const) {name}\b|export \{{[^}}]*\b{name}\b",
                file.read_text()), f"{target} has no {name}"


@pytest.mark.parametrize("path", SCRIPTS, ids=name_of)
def test_no_markup_from_text(path):
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function",
        path.read_text())


@pytest.mark.parametrize("path", STYLES, ids=name_of)
def test_colours_stand_in_one_place(path):
    if path.name == "tokens.css":
        return
    found = re.findall(r"#[0-9a-fA-F]{3,8}\b", path.read_text())
    assert set(found) <= {"#ffffff1f", "#0006", "#0b1219a0", "#ffb067"}, found


def test_every_file_is_installed():
    listed = set(re.findall(r"www/[\w./-]+", (WWW / "www.am").read_text()))
    there = {f"www/{name_of(path)}" for path in WWW.rglob("*")
             if path.is_file() and path.suffix != ".am"}
    assert listed - {"www/www.am"} == there


def test_every_page_of_the_menu_is_there():
    menu = re.findall(r"path: \"([^\"]+)\"", (WWW / "app/shell.js").read_text())
    assert "/network/ssl-certificates.html" in menu
    for path in menu:
        assert (WWW / path.lstrip("/")).is_file(), path
