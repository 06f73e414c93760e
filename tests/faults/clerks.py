"""People who work on, whatever happens: each looks at where a dossier is and does the next thing, again and again.

They remember nothing but what they handed in. Where an answer didn't come they look before they do it again, as a
person does: so whatever is doubled afterwards was doubled by the service.
"""

from __future__ import annotations

import io
import os
import re
import time
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

import httpx2
from PIL import Image, ImageDraw

from api.demo import centre
from api.deps import SESSION_COOKIE
from storage.disk import is_full
from tests.faults.telephone import CodeIsOver, Telephone
from tests.scans import _font

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

#: A procedure with one paper on its checklist and no template of its own.
PROCEDURE = "2.000908"
_KIND = "DN"
_FINISHED = frozenset({"returned", "refused", "cancelled"})
_WAITS = frozenset({"approved", "leader_signed", "sealed"})


class NotYet(Exception):
    """It didn't work this time: nobody answered, or something was in the way. Look again later."""


class Door(Enum):
    """How a paper comes in: the counter's program finds it in its folder, a browser sends it, a telephone takes it."""

    AGENT = "agent"
    BROWSER = "browser"
    TELEPHONE = "telephone"


@dataclass(frozen=True)
class Paper:
    """A scan that was handed in.

    Attributes:
        content: What is to be kept of it; of pictures, the paper that they make.
        pictures: As a telephone took them.
    """

    content: bytes
    sha256: str
    door: Door
    pictures: tuple[bytes, ...] = ()


@dataclass
class Case:
    """One citizen's matter, from the counter to the result in their hands.

    Attributes:
        said: What the last try met, for whoever asks why it is stuck.
        document: What the citizen was given in the end, and its verdict.
        retries: How often a person had to say "read it again" or "go on".
        ownerless: How often it was seen with nobody to act next.
        promised: What the service has said is there: (table, id).
        codes: Addresses of the codes that the counter has shown to the citizen's telephone, the newest last.
    """

    applicant: str
    papers: Sequence[Paper]
    id: str = ""
    code: str = ""
    lookup_code: str = ""
    done: bool = False
    said: str = ""
    document: bytes = b""
    verdict: str = ""
    retries: int = 0
    ownerless: int = 0
    steps: list[str] = field(default_factory=list)
    promised: list[tuple[str, str]] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)


def _code(said: Any) -> str:
    return str(said["code"] if isinstance(said, dict) else said)


def small_page(*lines: str, kind: str = "PNG") -> bytes:
    """A little sheet with some lines of print: quick to read."""
    image = Image.new("L", (900, 120 + 70 * len(lines)), 255)
    drawn = ImageDraw.Draw(image)
    for number, line in enumerate(lines):
        drawn.text((60, 60 + 70 * number), line, font=_font(38), fill=0)
    written = io.BytesIO()
    image.save(written, kind, dpi=(200, 200))
    return written.getvalue()


class Clerks:
    """Everybody who works at the centre, and the citizen.

    Args:
        folder: Where the scanner's program lays down scans for the agent.
    """

    def __init__(self, base_url: str, folder: Path) -> None:
        self._base_url = base_url
        self._folder = folder
        self._people: dict[str, httpx2.Client] = {}

    def close(self) -> None:
        """Everybody goes home."""
        for client in self._people.values():
            client.close()

    def step(self, case: Case) -> bool:
        """Do the next thing that a person can do; whether the case is done.

        Raises:
            NotYet: There is nothing to do now, or it didn't work.
        """
        if case.done:
            return True
        if not case.id:
            self._open(case)
        dossier = self._ask(centre.CLERK, "GET", f"/dossiers/{case.id}")
        state = dossier["state"]["code"]
        if dossier["next_step"] is None and state not in _FINISHED:
            case.ownerless += 1
        match state:
            case "draft":
                self._papers(case, dossier)
            case "digitizing":
                self._digitise(case, dossier)
            case "digitized":
                self._do(case, "process", centre.CLERK, f"/dossiers/{case.id}/process")
            case "in_process":
                self._result(case, dossier)
            case "result_ready":
                self._do(case, "hand over", centre.CLERK, f"/dossiers/{case.id}/hand-over")
            case "returned":
                self._citizen(case)
            case _:
                raise NotYet(state)
        return case.done

    def _open(self, case: Case) -> None:
        listed = self._ask(centre.CLERK, "GET", "/dossiers?limit=200")["items"]
        mine = [one for one in listed if one["applicant"]["name"] == case.applicant]
        if not mine:
            body = {"procedure": PROCEDURE, "applicant": {"name": case.applicant}}
            mine = [self._ask(centre.CLERK, "POST", "/dossiers", json=body)]
            case.steps.append("open")
            case.promised.append(("dossiers", mine[0]["id"]))
        case.id, case.code = mine[0]["id"], mine[0]["code"]

    def _papers(self, case: Case, dossier: dict[str, Any]) -> None:
        there = {component["scan_sha256"] for component in dossier["components"]}
        missing = [paper for paper in case.papers if paper.sha256 not in there]
        for paper in missing:
            match paper.door:
                case Door.AGENT:
                    self._lay_down(case, paper)
                case Door.BROWSER:
                    self._send(case, paper)
                case Door.TELEPHONE:
                    self._photograph(case, paper)
        if missing:
            raise NotYet("papers on their way")
        receipt = self._do(case, "receive", centre.CLERK, f"/dossiers/{case.id}/receive")
        case.lookup_code = receipt["lookup_code"]

    def _lay_down(self, case: Case, paper: Paper) -> None:
        """As a scanner does: once, under a name that tells the dossier; what becomes of it is the agent's business."""
        name = f"{_KIND}.png"
        wanted = self._folder / case.code / name
        taken = self._folder / "da-nhan" / case.code / name
        if f"lay {paper.sha256}" not in case.steps and not (wanted.exists() or taken.exists()):
            try:
                wanted.parent.mkdir(exist_ok=True)
                unfinished = wanted.with_name(f".{name}")
                with unfinished.open("wb") as file:
                    file.write(paper.content)
                    file.flush()
                    os.fsync(file.fileno())  # the scanner's program is none of what is tried here
                unfinished.rename(wanted)
            except OSError as error:
                if not is_full(error):
                    raise
                raise NotYet("the scanner's disk is full") from error
            os.sync()
            case.steps.append(f"lay {paper.sha256}")

    def _send(self, case: Case, paper: Paper) -> None:
        answers = not any(one.door is Door.AGENT for one in case.papers) and paper is case.papers[0]
        given = {
            "data": {"kind": _KIND if answers else "", "name": "Giấy kèm theo"},
            "files": {"file": ("kem.png", paper.content)},
        }
        answer = self._ask(centre.CLERK, "POST", f"/dossiers/{case.id}/components", fine=(409,), **given)
        if "id" in answer:
            case.promised.append(("components", answer["id"]))

    def _photograph(self, case: Case, paper: Paper) -> None:
        """Both sides of the counter: a code is shown, the telephone brings its pictures, one of them ends the paper."""
        if not case.codes:
            shown = self._page(f"/ho-so/{case.id}/dien-thoai")
            found = re.search(r"/chup/[a-z0-9-]+", shown.text)
            if found is None:
                raise NotYet(f"code: {shown.status_code}")
            case.codes.append(found[0])
        telephone = Telephone(self._person(""), self._base_url, case.codes[-1])
        try:
            became = [telephone.bring(picture) for picture in paper.pictures]
            # Taken by an earlier code: then only the counter can make one paper of all of them.
            by_the_counter = "duplicate" in became
            made = self._page(f"/ho-so/{case.id}/dien-thoai/ghep") if by_the_counter else telephone.done()
        except CodeIsOver:
            case.codes.clear()
            raise NotYet("the code is over") from None
        except httpx2.HTTPError as error:
            raise NotYet(f"telephone: {error!r}") from error
        if made.is_error:
            raise NotYet(f"paper of pictures {became}: {made.status_code}")
        case.steps.append("photograph")

    def _page(self, path: str) -> httpx2.Response:
        """Press a button on a clerk's page."""
        clerk = self._person(centre.CLERK)
        token = clerk.headers["authorization"].removeprefix("Bearer ")
        headers = {"cookie": f"{SESSION_COOKIE}={token}", "sec-fetch-site": "same-origin"}
        try:
            return clerk.post(self._base_url + path, data={"kind": ""}, headers=headers)
        except httpx2.HTTPError as error:
            raise NotYet(f"POST {path}: {type(error).__name__}") from error

    def _digitise(self, case: Case, dossier: dict[str, Any]) -> None:
        waits = True
        for component in dossier["components"]:
            path = f"/dossiers/{case.id}/components/{component['id']}"
            match component["state"]["code"]:
                case "read":
                    asked = [
                        f["key"] for f in self._ask(centre.CLERK, "GET", f"{path}/fields") if f["doubt"] == "by_hand"
                    ]
                    body = {"fields": dict.fromkeys(asked, "[không có]"), "keep_reason": "giấy nhỏ", "words": {}}
                    self._do(case, "review", centre.CLERK, f"{path}/review", json=body)
                case "reviewed" if component["searchable_sha256"]:
                    self._do(case, "copy", centre.CLERK, f"{path}/copy", json={"password": centre.PASSWORD})
                case "set_aside":
                    case.retries += 1
                    self._do(case, f"retry ({component['trouble']})", centre.CLERK, f"{path}/retry")
                case _:
                    continue
            waits = False
        if waits:
            raise NotYet("being read or signed")

    def _result(self, case: Case, dossier: dict[str, Any]) -> None:
        if not dossier["e_results"]:
            data = {
                "subject": "Cấp bản sao từ sổ gốc",
                "opening": ["Căn cứ sổ gốc,"],
                "facts": [["Người đề nghị", case.applicant]],
                "closing": ["Giấy này có giá trị kể từ ngày ký"],
                "recipients": ["Như trên"],
            }
            body = {"template": "certificate", "leader": centre.LEADER, "data": data}
            drafted = self._do(case, "draft", centre.CLERK, f"/dossiers/{case.id}/e-results", json=body)
            case.promised.append(("e_results", drafted["id"]))
            return
        result = dossier["e_results"][-1]
        there = f"/e-results/{result['id']}"
        match result["state"]["code"]:
            case "draft":
                self._do(case, "submit", centre.CLERK, f"{there}/submit")
            case "submitted":
                self._ask(centre.LEADER, "GET", f"{there}/document", raw=True)
                sha256 = self._ask(centre.LEADER, "GET", there)["approval_sha256"]
                body = {"password": centre.PASSWORD, "document_sha256": sha256}
                self._do(case, "approve", centre.LEADER, f"{there}/approve", json=body)
            case state if state in _WAITS and result["trouble"]:
                case.retries += 1
                self._do(case, f"resume ({result['trouble']})", centre.LEADER, f"{there}/resume")
            case state:
                raise NotYet(f"result {state}")

    def _citizen(self, case: Case) -> None:
        """Looks it up, downloads it and asks whether it is genuine."""
        if not case.lookup_code:
            case.lookup_code = self._ask(centre.CLERK, "GET", f"/dossiers/{case.id}/receipt")["lookup_code"]
        codes = {"dossier_code": case.code, "lookup_code": case.lookup_code}
        offered = [
            r["download"] for r in self._ask("", "POST", "/citizen/look-up", json=codes)["results"] if r["download"]
        ]
        if len(offered) != 1:
            raise NotYet(f"{len(offered)} results offered")
        case.document = self._ask("", "GET", self._base_url + offered[0], raw=True)
        told = self._ask(
            "", "POST", "/verifications", files={"file": ("ket-qua.pdf", case.document, "application/pdf")}
        )
        if _code(told["verdict"]) == "unconfirmed":
            raise NotYet("unconfirmed")
        signatures = len(told["signatures"])
        case.verdict = f"{_code(told['verdict'])}, {_code(told['register'])}, {signatures} signatures"
        case.done = True
        case.steps.append("verify")

    def _do(self, case: Case, what: str, who: str, path: str, **given: Any) -> Any:
        answer = self._ask(who, "POST", path, **given)
        case.steps.append(what)
        return answer

    def _ask(
        self, who: str, method: str, path: str, *, raw: bool = False, fine: tuple[int, ...] = (), **given: Any
    ) -> Any:
        try:
            answer = self._person(who).request(method, path, **given)
        except httpx2.HTTPError as error:
            raise NotYet(f"{method} {path}: {type(error).__name__}") from error
        if answer.status_code == httpx2.codes.UNAUTHORIZED and who:
            self._people.pop(who).close()
        if answer.is_error and answer.status_code not in fine:
            raise NotYet(f"{method} {path}: {answer.status_code} {answer.text[:300]}")
        return answer.content if raw else answer.json()

    def _person(self, who: str) -> httpx2.Client:
        if who not in self._people:
            client = httpx2.Client(base_url=f"{self._base_url}/api/v1", timeout=60.0, headers={"accept-language": "vi"})
            if who:
                body = {"username": who, "password": centre.PASSWORD}
                try:
                    session = client.post("/session", json=body)
                except httpx2.HTTPError as error:
                    client.close()
                    raise NotYet(f"sign in: {type(error).__name__}") from error
                if session.is_error:
                    client.close()
                    raise NotYet(f"sign in: {session.status_code}")
                client.headers["authorization"] = f"Bearer {session.json()['token']}"
            self._people[who] = client
        return self._people[who]


def work(clerks: Clerks, cases: Sequence[Case], *, patience_s: float) -> None:
    """Work on these cases in turn until all are done, or patience is over."""
    ends = time.monotonic() + patience_s
    while time.monotonic() < ends:
        done = [attempted(clerks, case) for case in cases]  # each, whatever becomes of the others
        if all(done):
            return
        time.sleep(0.2)


def attempted(clerks: Clerks, case: Case) -> bool:
    """One step of a case, whatever comes of it; whether it is done."""
    try:
        clerks.step(case)
    except NotYet as why:
        case.said = str(why)
    return case.done
