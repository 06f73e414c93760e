"""The main job, from a paper dossier to the citizen's verdict, through HTTP alone: what `hoso demo` and the tests run.

Each method is what one person does at one moment, with that person's own sign-in.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx2

if TYPE_CHECKING:
    from collections.abc import Callable

    from api.demo.sample import SampleComponent, SampleDossier

_API = "/api/v1"


class StoryFailed(Exception):
    """A step didn't end as it must; the message says which, and what was seen instead."""


@dataclass
class Story:
    """One dossier's way through a running demo centre.

    Attributes:
        base_url: Where the web answers.
        password: Of every demo account.
        patience_s: How long the service may take over work in the background.
    """

    base_url: str
    password: str
    patience_s: float = 120.0
    dossier: dict[str, Any] = field(default_factory=dict)
    receipt: dict[str, Any] = field(default_factory=dict)
    result: dict[str, Any] = field(default_factory=dict)
    document: bytes = b""
    _people: dict[str, httpx2.Client] = field(default_factory=dict)
    _papers: dict[str, SampleComponent] = field(default_factory=dict)

    def close(self) -> None:
        """Close every connection."""
        for client in self._people.values():
            client.close()

    def sign_in(self, username: str) -> httpx2.Client:
        """A signed-in person's own connection; "" is the public."""
        if username not in self._people:
            client = httpx2.Client(base_url=self.base_url + _API, timeout=60.0, headers={"accept-language": "vi"})
            if username:
                session = _ok(client.post("/session", json={"username": username, "password": self.password}))
                client.headers["authorization"] = f"Bearer {session['token']}"
            self._people[username] = client
        return self._people[username]

    def hand_in(self, by: str, sample: SampleDossier, *, receiving: str | None = None) -> None:
        """At the counter: open a dossier, scan its papers, receive it."""
        client = self.sign_in(by)
        applicant = {
            "name": sample.applicant.name,
            "id_number": sample.applicant.id_number,
            "phone": sample.applicant.phone,
            "address": sample.applicant.address,
        }
        self.dossier = _ok(
            client.post(
                "/dossiers",
                json={"procedure": sample.procedure, "applicant": applicant, "receiving": receiving},
            )
        )
        for component in sample.components:
            self.scan(by, component)
        self.receipt = _ok(client.post(f"{self._here}/receive"))
        self._look(by)

    def scan(self, by: str, component: SampleComponent) -> dict[str, Any]:
        """Bring in one paper."""
        with component.file.open("rb") as stream:
            taken: dict[str, Any] = _ok(
                self.sign_in(by).post(
                    f"{self._here}/components",
                    data={"kind": component.kind, "pages_declared": str(len(component.pages))},
                    files={"file": (component.file.name, stream, component.media_type)},
                )
            )
        self._papers[taken["id"]] = component
        return taken

    def watch(self, by: str, told: Callable[[int, int], None] = lambda _done, _total: None) -> None:
        """Follow the progress streams until every page of every paper is read."""
        client = self.sign_in(by)
        for component in self._look(by)["components"]:
            path = f"{self._here}/components/{component['id']}/events"
            with client.stream("GET", path, timeout=self.patience_s) as stream:
                for line in stream.iter_lines():
                    if line.startswith("data: "):
                        progress = json.loads(line.removeprefix("data: "))
                        told(progress["done"], progress["total"])
            if progress["state"]["code"] not in ("read", "digitized"):
                raise StoryFailed(f"{component['name']}: {progress['state']['vi']}")

    def review(self, by: str, *, keep_reason: str = "") -> None:
        """A clerk goes through every paper, corrects a word of the first, and calls it right.

        Where the reader takes print for a pen's it asks the clerk, who looks at the paper and types what is there.
        """
        client = self.sign_in(by)
        for number, component in enumerate(self._look(by)["components"]):
            path = f"{self._here}/components/{component['id']}"
            words = _ok(client.get(f"{path}/pages/1/words"))["words"]
            corrections = {"1": {"0": words[0]["text"] + "✓"}} if number == 0 else {}
            asked = [f["key"] for f in _ok(client.get(f"{path}/fields")) if f["doubt"] == "by_hand"]
            seen = _as_a_person_sees(self._papers.get(component["id"]))
            answers = {key: seen.get(key) or "[không có]" for key in asked}
            body = {"words": corrections, "fields": answers, "keep_reason": keep_reason}
            _ok(client.post(f"{path}/review", json=body))

    def sign_copies(self, by: str) -> None:
        """The reviewed papers become electronic copies signed by the agency."""
        client = self.sign_in(by)
        for component in self._look(by)["components"]:
            if component["state"]["code"] == "digitized":
                continue
            path = f"{self._here}/components/{component['id']}"
            self._until("text layer made again", partial(_has_text_layer, client, path))
            _ok(client.post(f"{path}/copy", json={"password": self.password}))
        self._until("copies signed", lambda: self._look(by)["state"]["code"] == "digitized")

    def copies(self, by: str) -> list[bytes]:
        """The signed copies."""
        client = self.sign_in(by)
        return [_bytes(client.get(f"{self._here}/components/{c['id']}/copy")) for c in self._look(by)["components"]]

    def draft(self, by: str, *, leader: str, template: str, data: dict[str, Any]) -> None:
        """A clerk takes the dossier into work, drafts the result and lays it before the leader."""
        client = self.sign_in(by)
        if self._look(by)["state"]["code"] == "digitized":
            _ok(client.post(f"{self._here}/process"))
        self.result = _ok(
            client.post(f"{self._here}/e-results", json={"template": template, "leader": leader, "data": data})
        )
        self.result = _ok(client.post(f"{self._there}/submit"))

    def approve(self, by: str) -> None:
        """The leader reads the document and approves those very bytes, with the password again."""
        client = self.sign_in(by)
        _bytes(client.get(f"{self._there}/document"))
        self.result = _ok(client.get(self._there))
        body = {"password": self.password, "document_sha256": self.result["approval_sha256"]}
        _ok(client.post(f"{self._there}/approve", json=body))

    def await_issue(self, by: str) -> None:
        """Wait until the signing worker has signed and sealed it and the register has it."""

        def issued() -> bool:
            self.result = _ok(self.sign_in(by).get(self._there))
            return bool(self.result["state"]["code"] == "issued")

        self._until("issued", issued)

    def look_up(self) -> dict[str, Any]:
        """The citizen, with both codes from the receipt."""
        codes = {"dossier_code": self.receipt["code"], "lookup_code": self.receipt["lookup_code"]}
        view: dict[str, Any] = _ok(self.sign_in("").post("/citizen/look-up", json=codes))
        return view

    def download(self) -> bytes:
        """The citizen's own copy of the newest result in force."""
        offered = [r["download"] for r in self.look_up()["results"] if r["download"]]
        if not offered:
            raise StoryFailed("the citizen is offered no result")
        self.document = _bytes(self.sign_in("").get(self.base_url + offered[-1]))
        return self.document

    def verify(self, pdf: bytes) -> dict[str, Any]:
        """Anybody asks whether a file is genuine."""
        upload = {"file": ("van-ban.pdf", pdf, "application/pdf")}
        verdict: dict[str, Any] = _ok(self.sign_in("").post("/verifications", files=upload))
        return verdict

    def withdraw(self, by: str, reason: str) -> None:
        """The agency takes the result out of force."""
        self.result = _ok(self.sign_in(by).post(f"{self._there}/withdraw", json={"reason": reason}))

    @property
    def _here(self) -> str:
        return f"/dossiers/{self.dossier['id']}"

    @property
    def _there(self) -> str:
        return f"/e-results/{self.result['id']}"

    def _look(self, by: str) -> dict[str, Any]:
        self.dossier = _ok(self.sign_in(by).get(self._here))
        return self.dossier

    def _until(self, what: str, done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + self.patience_s
        while not done():
            if time.monotonic() > deadline:
                raise StoryFailed(f"not {what} within {self.patience_s:.0f} s")
            time.sleep(0.2)


def altered(pdf: bytes) -> bytes:
    """The file with one byte changed in the middle of what was signed first."""
    at = pdf.index(b"/ByteRange") // 2
    return pdf[:at] + bytes([pdf[at] ^ 0x01]) + pdf[at + 1 :]


def _as_a_person_sees(paper: SampleComponent | None) -> dict[str, str]:
    """What a person would type for number and day; "" where the paper has none."""
    if paper is None:
        return {}
    return {"number": paper.number, "issued_on": paper.dated.isoformat() if paper.dated else ""}


def _has_text_layer(client: httpx2.Client, path: str) -> bool:
    return _ok(client.get(path))["searchable_sha256"] is not None


def _ok(response: httpx2.Response) -> Any:
    if response.is_error:
        raise StoryFailed(f"{response.request.method} {response.request.url.path}: {response.text}")
    return response.json()


def _bytes(response: httpx2.Response) -> bytes:
    if response.is_error:
        raise StoryFailed(f"{response.request.method} {response.request.url.path}: {response.text}")
    return response.content
