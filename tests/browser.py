"""Walks our pages in a real Chromium, and is hard to please: what a story about a page is written with.

Fixtures (tests/acceptance/conftest.py); every test that asks for one runs on one worker, beside one service:

    service    a whole running service (tests/live.py): `base_url`, `data`, `story()`, `parts()`, `reading_workers`,
               `kill(*names)` (SIGKILL: "web", "worker-1", "worker-signing", …), `await_back(*names)`, `log_tails()`
    base_url   where `visit` goes; a module may override it with a site of its own
    browser    the Chromium that all tests share
    visit      visit(who=None, *, width=1280, height=800, javascript=True, language="vi", keyboard_only=False) -> Page
               a person at a browser of their own; with `who` signed in and at their desk; page.goto takes paths

The test fails at its end when any page it visited met an error in the console, an uncaught error, a violation of the
content security policy, a request that failed or an answer from 500 on; and, with `keyboard_only`, when anything was
pointed at or touched. A screenshot, the HTML and a trace (`playwright show-trace`) of a failing test are kept in
$HOSO_TEST_ARTIFACTS, or in pytest's own folder; the report says where. In a test with a page open, `asyncio.run` needs
a thread of its own, since Playwright keeps a loop running.

Functions:

    signed_in(page, username) -> Page               through the form at /dang-nhap
    expecting(page, *texts) -> None                 problems with one of these texts in them are part of the story
    problems(page) -> list[str]                     what was seen so far
    key_presses(page) -> int                        keys pressed since the visit began (signing in and bare modifiers
                                                    not counted, a key held down counted once)
    axe(page) -> list[Violation]                    serious and critical, WCAG 2.0 to 2.2, A and AA
    assert_accessible(page) -> None                 the same, as a readable failure
    weight(page, address) -> Weight                 bytes over the wire of a first load: total, by_type, loads
    typed(page, text, method="telex", *, through="keys") -> int
                                                    Vietnamese into the focused field as an input method does it
    raw_keys(word, method="telex") -> str           the keys that a word takes
"""

from __future__ import annotations

import re
import time
import unicodedata
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal
from weakref import WeakKeyDictionary

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Error

from api.deps import SESSION_COOKIE
from api.pages.doors import DESK
from api.pages.frame import LANGUAGE_COOKIE
from tests import live

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from playwright.sync_api import (
        Browser,
        BrowserContext,
        ConsoleMessage,
        Page,
        Request,
        Response,
        WebError,
    )

_POLICY = "Content Security Policy"
_SERVER_ERROR = 500
#: A download, a page left while it loads, a stream that ends with its page: the browser itself broke it off.
_GIVEN_UP = "net::ERR_ABORTED"

#: In every document, before its own scripts. Synthetic events aren't trusted, and a click by Enter has no pointer.
_LISTEN = """
(() => {
  const tell = (what, said) => window.__hosoTestTells(what, said).catch(() => {});
  const name = target => target?.outerHTML?.slice(0, 120) ?? String(target?.nodeName);
  const bare = new Set(["Shift", "Control", "Alt", "Meta"]);
  const first = { capture: true, passive: true };
  window.addEventListener("securitypolicyviolation",
    e => tell("policy", `${e.effectiveDirective}: ${e.blockedURI} ${e.sourceFile}:${e.lineNumber} ${e.sample}`), first);
  for (const type of ["pointerdown", "mousedown", "touchstart"])
    window.addEventListener(type, e => e.isTrusted && tell("pointer", `${type}: ${name(e.target)}`), first);
  window.addEventListener("keydown",
    e => e.isTrusted && !e.repeat && !bare.has(e.key) && tell("key", e.code), first);
})();
"""


@dataclass
class Watch:
    """What happened in one person's browser."""

    keyboard_only: bool = False
    javascript: bool = True
    expected: list[str] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    keys: int = 0

    def on(self, context: BrowserContext) -> None:
        """Begin to watch."""
        context.expose_binding("__hosoTestTells", lambda _source, what, said: self._told(what, said))
        context.add_init_script(_LISTEN)
        context.on("console", self._console)
        context.on("weberror", self._uncaught)
        context.on("requestfailed", self._failed)
        context.on("response", self._answered)

    def unexpected(self) -> list[str]:
        """The problems that the story doesn't speak of."""
        return [problem for problem in self.seen if not any(text in problem for text in self.expected)]

    def _told(self, what: str, said: str) -> None:
        if what == "key":
            self.keys += 1
        elif what == "policy":
            self.seen.append(f"{_POLICY} violated: {said}")
        elif self.keyboard_only:
            self.seen.append(f"not by keyboard: {said}")

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error" or _POLICY in message.text:
            self.seen.append(f"console: {message.text} ({message.location.get('url')})")

    def _uncaught(self, error: WebError) -> None:
        self.seen.append(f"uncaught: {error.error.stack or error.error}")

    def _failed(self, request: Request) -> None:
        if request.failure != _GIVEN_UP:
            self.seen.append(f"failed: {request.method} {request.url}: {request.failure}")

    def _answered(self, response: Response) -> None:
        if response.status >= _SERVER_ERROR:
            self.seen.append(f"answered {response.status}: {response.request.method} {response.url}")


#: (address, username) → the cookie of a session that is open.
_SESSIONS: dict[tuple[str, str], list[Any]] = {}
_WATCHES: WeakKeyDictionary[BrowserContext, Watch] = WeakKeyDictionary()


def _watch(page: Page) -> Watch:
    """The watch over this page's context, after everything that was on its way has arrived."""
    with suppress(Error):  # it is leaving for another page, or closed
        page.evaluate("0")
    return _WATCHES[page.context]


class Visits:
    """Calls open a page each, as `visit` above says; `close` ends them all and judges.

    Args:
        artifacts: Where a failure leaves what it looked like; made when needed.
    """

    def __init__(self, browser: Browser, base_url: str, artifacts: Path) -> None:
        self._browser = browser
        self._base_url = base_url
        self._artifacts = artifacts
        self._contexts: list[BrowserContext] = []

    def __call__(
        self,
        who: str | None = None,
        *,
        width: int = 1280,
        height: int = 800,
        javascript: bool = True,
        language: str = "vi",
        keyboard_only: bool = False,
    ) -> Page:
        """A person sits down.

        Raises:
            ValueError: Without JavaScript nobody can tell a pointer from a key.
        """
        if keyboard_only and not javascript:
            raise ValueError("keyboard_only needs JavaScript")
        context = self._browser.new_context(
            base_url=self._base_url,
            viewport={"width": width, "height": height},
            locale=live.LOCALES[language],
            timezone_id="Asia/Ho_Chi_Minh",
            java_script_enabled=javascript,
        )
        self._contexts.append(context)
        context.tracing.start(snapshots=True, screenshots=False)
        if language != "vi":  # a page speaks Vietnamese to whoever has said nothing
            context.add_cookies([{"name": LANGUAGE_COOKIE, "value": language, "url": self._base_url}])
        watch = _WATCHES[context] = Watch(keyboard_only, javascript)
        watch.on(context)
        page = context.new_page()
        if who is not None:
            self._let_in(page, who)
            _watch(page).keys = 0
        return page

    def _let_in(self, page: Page, who: str) -> None:
        """With the session that the form once gave them, while it lasts: the form takes only so many in a while."""
        kept = _SESSIONS.get((self._base_url, who))
        if kept is not None:
            page.context.add_cookies(kept)
            page.goto(DESK)
        if kept is None or live.SIGN_IN in page.url:
            signed_in(page, who)
            cookies = page.context.cookies()
            _SESSIONS[self._base_url, who] = [cookie for cookie in cookies if cookie["name"] == SESSION_COOKIE]

    @property
    def open(self) -> int:
        """How many haven't ended."""
        return len(self._contexts)

    def close(self, *, failed: bool = False) -> None:
        """End all visits.

        Raises:
            AssertionError: A page had a problem that the story doesn't speak of.
        """
        complaints = []
        for number, context in enumerate(self._contexts, start=1):
            watch = _watch(context.pages[-1]) if context.pages else _WATCHES[context]
            complaints += [f"visit {number}: {problem}" for problem in watch.unexpected()]
            if failed or watch.unexpected():
                self._keep(context, number)
            context.close()
        self._contexts.clear()
        if complaints:
            raise AssertionError("the pages met problems:\n" + "\n".join(complaints))

    def _keep(self, context: BrowserContext, number: int) -> None:
        """Save what the person saw last, and the way there."""
        self._artifacts.mkdir(parents=True, exist_ok=True)
        with suppress(Error):
            context.tracing.stop(path=self._artifacts / f"{number}-trace.zip")
        for at, page in enumerate(context.pages, start=1):
            with suppress(Error):
                (self._artifacts / f"{number}-{at}.html").write_text(page.content(), "utf-8")
                page.screenshot(path=self._artifacts / f"{number}-{at}.png", full_page=True)
                # Where only the report is kept, this is what tells why.
                print(f"── what visit {number} saw last, at {page.url}", page.locator("body").inner_text(), sep="\n")
        print(f"screenshot, HTML and trace: {self._artifacts}")


def signed_in(page: Page, username: str) -> Page:
    """The same page, where the form at /dang-nhap leads this demo account.

    Raises:
        AssertionError: They weren't let in.
    """
    live.sign_in(page, username)
    return page


def expecting(page: Page, *texts: str) -> None:
    """Say that problems with one of these texts in them are part of the story, wherever this person meets them."""
    _watch(page).expected.extend(texts)


def problems(page: Page) -> list[str]:
    """What went wrong in this person's browser so far, expected or not."""
    return list(_watch(page).seen)


def key_presses(page: Page) -> int:
    """How many keys this person has pressed. Bare modifiers and the repeats of a key held down don't count."""
    return _watch(page).keys


# ── can everybody use it?

_STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
_GRAVE = {"serious", "critical"}


@dataclass(frozen=True)
class Violation:
    """A rule that a page breaks, and where."""

    rule: str
    impact: str
    help: str
    places: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.rule} ({self.impact}): {self.help}" + "".join(f"\n    {place}" for place in self.places)


def axe(page: Page) -> list[Violation]:
    """What axe calls serious or critical on this page as it stands; each place with its selector and what is wrong.

    Raises:
        ValueError: The page may not run scripts, and axe is one.
    """
    if not _watch(page).javascript:
        raise ValueError("axe needs JavaScript")
    options = {"runOnly": {"type": "tag", "values": _STANDARDS}, "resultTypes": ["violations"]}
    found = Axe().run(page, options=options).response["violations"]
    return [
        Violation(
            rule["id"],
            rule["impact"],
            rule["help"],
            tuple(f"{_selector(node)}: {_wrong(node)}" for node in rule["nodes"]),
        )
        for rule in found
        if rule["impact"] in _GRAVE
    ]


def assert_accessible(page: Page) -> None:
    """Fail, with every place and what is wrong there, unless `axe` finds nothing."""
    found = axe(page)
    assert not found, f"{page.url} shuts people out:\n" + "\n".join(map(str, found))


def _selector(node: dict[str, Any]) -> str:
    return " ".join(str(step) for step in node["target"])


def _wrong(node: dict[str, Any]) -> str:
    checks = (*node["any"], *node["all"], *node["none"])
    return "; ".join(check["message"] for check in checks)


# ── how heavy is it?


@dataclass(frozen=True)
class Weight:
    """What a page costs to load.

    Attributes:
        by_type: "Document", "Stylesheet", "Script", "Image", … → bytes over the wire, headers included.
        loads: (address, bytes), heaviest first.
    """

    by_type: dict[str, int]
    loads: tuple[tuple[str, int], ...]

    @property
    def total(self) -> int:
        """Bytes of all."""
        return sum(self.by_type.values())


def weight(page: Page, address: str, *, within_s: float = 30.0) -> Weight:
    """Load `address` with nothing in the cache, and weigh what comes over the wire until it is quiet.

    Raises:
        AssertionError: It isn't quiet in time. A stream of events may stay open.
    """
    network = _Network()
    devtools = page.context.new_cdp_session(page)
    try:
        network.listen(devtools)
        devtools.send("Network.enable")
        devtools.send("Network.clearBrowserCache")
        page.goto(address)
        give_up = time.monotonic() + within_s
        while not network.is_quiet():
            assert time.monotonic() < give_up, f"still loading: {network.open}"
            page.wait_for_timeout(50)
    finally:
        devtools.detach()
    by_type: Counter[str] = Counter()
    by_address: Counter[str] = Counter()
    for kind, url, size in network.loads:
        by_type[kind] += size
        by_address[url] += size
    return Weight(dict(by_type), tuple(by_address.most_common()))


class _Network:
    """Counts what comes over the wire."""

    _QUIET_S = 0.3

    def __init__(self) -> None:
        self.open: dict[str, tuple[str, str]] = {}
        self.loads: list[tuple[str, str, int]] = []
        self._last = time.monotonic()

    def listen(self, devtools: Any) -> None:
        devtools.on("Network.requestWillBeSent", self._sent)
        devtools.on("Network.loadingFinished", self._finished)
        devtools.on("Network.loadingFailed", self._failed)

    def is_quiet(self) -> bool:
        streams = all(kind == "EventSource" for kind, _ in self.open.values())
        return streams and time.monotonic() - self._last > self._QUIET_S

    def _sent(self, event: dict[str, Any]) -> None:
        self._last = time.monotonic()
        if "redirectResponse" in event:
            kind, url = self.open[event["requestId"]]
            self.loads.append((kind, url, int(event["redirectResponse"]["encodedDataLength"])))
        if not event["request"]["url"].startswith(("data:", "blob:")):
            self.open[event["requestId"]] = (event["type"], event["request"]["url"])

    def _finished(self, event: dict[str, Any]) -> None:
        self._last = time.monotonic()
        if request := self.open.pop(event["requestId"], None):
            self.loads.append((*request, int(event["encodedDataLength"])))

    def _failed(self, event: dict[str, Any]) -> None:
        self._last = time.monotonic()
        self.open.pop(event["requestId"], None)


# ── Vietnamese by keyboard

Method = Literal["telex", "vni"]
Through = Literal["keys", "composition"]

_CIRCUMFLEX, _BREVE, _HORN = "\u0302", "\u0306", "\u031b"
_TONES: Final[dict[str, dict[str, str]]] = {
    "telex": {"\u0301": "s", "\u0300": "f", "\u0309": "r", "\u0303": "x", "\u0323": "j"},
    "vni": {"\u0301": "1", "\u0300": "2", "\u0309": "3", "\u0303": "4", "\u0323": "5"},
}
_WORD = re.compile(r"[^\W\d_]+")


def raw_keys(word: str, method: Method = "telex") -> str:
    """The keys that a word takes: "Đường" is "DDuwowngf" by Telex and "D9u7o7ng2" by VNI; its tone comes last.

    By Telex a lone ơ or ư is written with its bracket ("mơ" is "m["), as UniKey offers, so that these keys occur too.
    """
    keys, tone = "", ""
    horned = [letter for letter in unicodedata.normalize("NFD", word) if letter == _HORN]
    for letter in unicodedata.normalize("NFC", word):
        base, *marks = tuple(unicodedata.normalize("NFD", letter))
        tone = next((_TONES[method][mark] for mark in marks if mark in _TONES[method]), tone)
        keys += _shaped(base, marks, method, paired=len(horned) > 1)
    return keys + tone


def _shaped(base: str, marks: Iterable[str], method: Method, *, paired: bool) -> str:
    """The keys of one letter, its tone aside."""
    if base in "đĐ":
        plain = "d" if base == "đ" else "D"
        return plain + ("9" if method == "vni" else plain)
    if _CIRCUMFLEX in marks:
        return base + ("6" if method == "vni" else base.lower())
    if _BREVE in marks:
        return base + ("8" if method == "vni" else "w")
    if _HORN in marks:
        if method == "vni":
            return base + "7"
        return {"o": "[", "u": "]"}.get(base, base + "w") if not paired else base + "w"
    return base


def typed(page: Page, text: str, method: Method = "telex", *, through: Through = "keys") -> int:
    """Type Vietnamese into the focused field as an input method does; gives the number of keys a person presses.

    Args:
        text: One line.
        through: "keys" as UniKey on Windows: the raw letters arrive, then are taken back and the word put in their
            place. "composition" as IBus, macOS and telephones: each key is swallowed (key "Process", keyCode 229, its
            `code` as ever) while the word is composed.
    """
    page.wait_for_function("document.activeElement !== document.body")  # a field focuses itself with its first frame
    pressed = 0
    compose = page.context.new_cdp_session(page) if through == "composition" else None
    text = unicodedata.normalize("NFC", text)
    at = 0
    for match in [*_WORD.finditer(text), None]:
        for character in text[at : match.start() if match else len(text)]:
            pressed += 1
            page.keyboard.type(character)
        if match is None:
            break
        word, at = match.group(), match.end()
        keys = raw_keys(word, method)
        pressed += len(keys)
        if compose is not None:
            _composed(compose, keys, word)
        elif keys == word:
            page.keyboard.type(word)
        else:
            page.keyboard.type(keys)
            for _ in keys:
                page.keyboard.press("Backspace")
            page.keyboard.insert_text(word)
    if compose is not None:
        compose.detach()
    return pressed


def _composed(devtools: Any, keys: str, word: str) -> None:
    """Each key swallowed by the input method, the letters so far shown underlined; at the end the word stands."""
    for number, key in enumerate(keys, start=1):
        event = {"key": "Process", "code": _code(key), "windowsVirtualKeyCode": 229}
        devtools.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", **event})
        shown = word if number == len(keys) else keys[:number]
        devtools.send(
            "Input.imeSetComposition", {"text": shown, "selectionStart": len(shown), "selectionEnd": len(shown)}
        )
        devtools.send("Input.dispatchKeyEvent", {"type": "keyUp", **event})
    devtools.send("Input.insertText", {"text": word})


def _code(key: str) -> str:
    """Where the key is on the keyboard."""
    if key in "[]":
        return "BracketLeft" if key == "[" else "BracketRight"
    return f"Digit{key}" if key.isdigit() else f"Key{key.upper()}"
