"""A leader's whole day in one batch: 500 results, one PIN, an authority that is slow, dead and back, a killed worker.

    python bench/batch.py [--results 500] [--killed-at 0.5] [--dead-s 45] [--slow-s 2] [--rows]

A service of its own as `hoso up` starts it: PostgreSQL, S3 server, web, workers, trust service, each in a process of
its own; the leader's key on a SoftHSM token; and before the trust service a timestamp authority that is out of order as
we like (`tests/unsteady_authority.py`). One dossier goes its whole way from paper; the others are copies of its record
for other made-up people, each with a draft of its own, submitted by HTTP. The leader marks all as read, looks at the
queue, types one PIN, and follows the batch's page as a browser does. When a share of the signatures is made the signing
worker is killed outright: what it had signed stays signed, the rest asks for the PIN, which is typed again. Then the
time is told slowly, not at all, and again.

Counted from the outside, at the end: what became of each result, from the register and its file (both signatures, one
document timestamp, verified); signatures and timestamps by the files, the audit log and the authority's own counter.
Costs are processor seconds (user and system) of the processes, children included. The peer signs the same documents
with the same two certificates in this process, with plain pyHanko calls.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import httpx2
from pyhanko.pdf_utils.reader import PdfFileReader

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from api import settings
from api.commands.demo import result_data, service
from api.demo import artwork, centre, people, sample
from api.demo.trust_service import DemoTrust
from api.deps import SESSION_COOKIE
from api.wiring import utc_now, wire
from bench.signing import drawn, plain_signature, plain_signer
from dossiers import codes
from dossiers.signatures import trusted
from dossiers.types import Applicant, KeyHeld, PinAsked, ResultState
from signing import appearance
from signing.types import Place, SignaturePlace, Verdict
from signing.verify import verify
from tests.live import Service
from tests.softhsm import open_shelf
from tests.unsteady_authority import InOwnProcess, in_own_process

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asn1crypto import cms

    from api.demo.story import Story
    from api.wiring import Services
    from dossiers.types import EResult

_PIN = "730519826"
_SIGNING = "worker-signing"
_LOOK_EVERY_S = 1.0
_TICKS = os.sysconf("SC_CLK_TCK")


def main() -> int:
    """Run the day, and print what came of it; 1 when a result was lost, doubled or is stuck."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=int, default=500)
    parser.add_argument("--killed-at", type=float, default=0.5, help="share of the leader's signatures made by then")
    parser.add_argument("--slow-s", type=float, default=2.0, help="what each timestamp takes at first")
    parser.add_argument("--dead-s", type=float, default=45.0, help="how long nobody tells the time")
    parser.add_argument("--patience-s", type=float, default=1800.0, help="when to call what is left stuck")
    parser.add_argument("--rows", action="store_true", help="print a line for every result")
    parser.add_argument("--pictures", type=Path, help="pictures of the leader's pages, desktop width, into this folder")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hoso-service-", ignore_cleanup_errors=True) as name:
        data = Path(name)
        data.chmod(0o711)
        shelf_folder = data / "shelf"
        shelf_folder.mkdir(mode=0o711)
        shelf = open_shelf(shelf_folder)
        with (
            in_own_process(data / "demo-trust") as authority,
            service(data, HOSO_TSA_URLS=authority.url) as base_url,
        ):
            day = _Day(Service(base_url, data), authority, given)
            try:
                day.prepare(shelf)
                day.sign()
                return day.tell()
            finally:
                day.close()


class _Meter:
    """Processor seconds by part, over the deaths of processes."""

    def __init__(self, running: Service, authority: InOwnProcess) -> None:
        self._running, self._authority = running, authority
        self._last: dict[str, tuple[int, float]] = {}
        self._dead: Counter[str] = Counter()
        self._lock = threading.Lock()

    def read(self) -> dict[str, float]:
        """Seconds since each part began. What a part used between the last look and its death is lost."""
        with self._lock:
            tree = _processes()
            for name, pid in self._roots().items():
                before = self._last.get(name)
                if before is not None and before[0] != pid:
                    self._dead[name] += before[1]
                self._last[name] = (pid, _used(tree, pid))
            return {name: used + self._dead[name] for name, (_, used) in self._last.items()}

    def _roots(self) -> dict[str, int]:
        found = dict(self._running.parts()) | {"authority": self._authority.pid}
        for name, note in (("postgresql", "postgres/cluster/postmaster.pid"), ("s3", "s3/server.pid")):
            found[name] = int((self._running.data / note).read_text(encoding="utf-8").split()[0])
        return found


def _processes() -> dict[int, tuple[int, float]]:
    """Every process: its parent, and what it used with the children that it has waited for."""
    found = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        found[int(stat.parent.name)] = int(fields[1]), sum(map(int, fields[11:15])) / _TICKS
    return found


def _used(tree: dict[int, tuple[int, float]], pid: int) -> float:
    below = sum(_used(tree, child) for child, (parent, _) in tree.items() if parent == pid)
    return tree.get(pid, (0, 0.0))[1] + below


@dataclass
class _Day:
    running: Service
    authority: InOwnProcess
    given: argparse.Namespace
    results: list[dict[str, Any]] = field(default_factory=list)
    costs: dict[str, dict[str, float]] = field(default_factory=dict)
    pages: list[tuple[str, float, float, float, int]] = field(default_factory=list)
    waits: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.meter = _Meter(self.running, self.authority)
        self.story: Story = self.running.story()
        os.environ["HOSO_DATA"] = str(self.running.data)
        os.environ["HOSO_TSA_URLS"] = self.authority.url
        self.office: Services = wire(settings.read())
        self.browser = httpx2.Client(
            base_url=self.running.base_url,
            timeout=300.0,
            follow_redirects=True,
            headers={"accept-language": "vi", "sec-fetch-site": "same-origin"},
        )

    def close(self) -> None:
        self.story.close()
        self.browser.close()
        self.office.close()

    # --- before ---

    def prepare(self, shelf: Any) -> None:
        """From paper to so many results before the leader."""
        count = self.given.results
        with tempfile.TemporaryDirectory() as name:
            papers = sample.make_dossier(Path(name), seed=500)
            self.story.hand_in(centre.POSTAL, papers)
            self.story.watch(centre.POSTAL)
            self.story.review(centre.CLERK)
            self.story.sign_copies(centre.CLERK)
        clerk = self.story.sign_in(centre.CLERK)
        _ok(clerk.post(f"/dossiers/{self.story.dossier['id']}/process"))
        dossiers = self._copied(UUID(self.story.dossier["id"]), count)
        self._key_onto_token(shelf)
        before = self.meter.read()
        for dossier_id, applicant in dossiers:
            data = result_data(replace(papers, applicant=applicant))
            body = {"template": "certificate", "leader": centre.LEADER, "data": data}
            draft = _ok(clerk.post(f"/dossiers/{dossier_id}/e-results", json=body))
            self.results.append(_ok(clerk.post(f"/e-results/{draft['id']}/submit")))
        self._spent("drafts", before)
        self.unsigned = clerk.get(f"/e-results/{self.results[0]['id']}/document").content
        _say(f"{count} results submitted")

    def _copied(self, dossier_id: UUID, count: int) -> list[tuple[UUID, Applicant]]:
        """The dossier that went all its way, and copies of its record for other people."""
        chance = random.Random(500)  # noqa: S311 - made-up people
        with self.office.begin() as work:
            first = work.dossiers.for_job(dossier_id)
            found = [(first.id, first.applicant)]
            day = codes.local_day(utc_now())
            for _ in range(count - 1):
                who = people.person(chance)
                applicant = Applicant(who.name, who.id_number, who.phone, who.address)
                copy = replace(
                    first,
                    id=uuid.uuid4(),
                    code=codes.dossier_code(first.receiving, day, work.dossiers.next_ordinal(first.receiving, day)),
                    lookup_code=codes.new_lookup_code(),
                    applicant=applicant,
                    version=0,
                )
                work.dossiers.keep(copy)
                found.append((copy.id, applicant))
        return found

    @property
    def _trust(self) -> DemoTrust:
        folder = self.running.data / "demo-trust"
        return DemoTrust(folder, json.loads((folder / "service.json").read_text("utf-8"))["base_url"])

    def _key_onto_token(self, shelf: Any) -> None:
        subject = next(one.subject.id for one in centre.SIGNERS if one.username == centre.LEADER)
        shelf.token("lanhdao", pin=_PIN)
        at = shelf.put("lanhdao", shelf.key_from(self._trust, subject), label="khóa ký", pin=_PIN)
        with self.office.begin() as work:
            kept = work.certificates.for_person(centre.LEADER)
            work.certificates.keep(replace(kept, held=KeyHeld.PKCS11, locator=str(at), pin_asked=PinAsked.BATCH))
        (self.office.keys_folder / kept.key_file).unlink()

    # --- the leader ---

    def sign(self) -> None:
        """Read, choose, type the PIN; then whatever happens, until nothing moves any more."""
        token = self.story.sign_in(centre.LEADER).headers["authorization"].removeprefix("Bearer ")
        self.browser.cookies.set(SESSION_COOKIE, token)
        before = self.meter.read()
        for one in self.results:
            self.browser.post(f"/ket-qua/{one['id']}/da-doc", data={"sha256": one["document_sha256"]})
        self._spent("marked as read", before)
        _say("marked as read")
        queue = self._page("queue", "GET", "/ket-qua?loc=cho-ky")
        self._page("queue, asked again", "GET", f"/ket-qua/danh-sach?loc=cho-ky&v={_stamp(queue)}")
        chosen = [one["id"] for one in self.results]
        card = self._page("before the PIN", "POST", "/ket-qua/duyet/xem", data={"chon": chosen})
        ready = re.findall(r'name="van_ban" value="([^"]+)"', card)
        assert len(ready) == len(self.results), f"{len(ready)} of {len(self.results)} can be signed"
        self._picture("queue", "/ket-qua?loc=cho-ky")

        self._answered_before = self.authority.be(delay_s=self.given.slow_s)["answered"]
        self._before, self._began = self.meter.read(), time.monotonic()
        form = {"van_ban": ready, "password": centre.PASSWORD, "pin": _PIN, "dot": str(uuid.uuid4())}
        self._page("the PIN", "POST", "/ket-qua/duyet", data=form)
        self.waits["the PIN is taken"] = time.monotonic() - self._began
        self._follow(form["dot"])

    def _follow(self, batch: str) -> None:
        """As the page does; and the day's mishaps, each when its time has come."""
        mishaps = self._mishaps(batch)
        address, version = f"/ket-qua/dot-ky/{batch}/tien-do", ""
        looks, spent = 0, 0.0
        while time.monotonic() - self._began < self.given.patience_s:
            counted = self._counted()
            next(mishaps)
            began = self.meter.read().get("web", 0.0)
            answer = self._asked(f"{address}?v={version}")
            spent += self.meter.read().get("web", 0.0) - began
            looks += 1
            version = _stamp(answer.text) or version
            if counted["issued"] + counted["stopped"] == len(self.results):
                break
            time.sleep(_LOOK_EVERY_S)
        self.waits["all is done"] = time.monotonic() - self._began
        self.pages.append((f"the batch's progress, {looks} times", 1000 * spent / max(looks, 1), 0.0, 0.0, 0))
        self._spent("signed", self._before)
        self._page("the batch, done", "GET", f"/ket-qua/dot-ky/{batch}")
        self._picture("batch-done", f"/ket-qua/dot-ky/{batch}")

    def _asked(self, path: str) -> httpx2.Response:
        """As browsers do: asked again where the connection that was kept had just been closed."""
        try:
            return self.browser.get(path)
        except httpx2.TransportError:
            return self.browser.get(path)

    def _mishaps(self, batch: str) -> Iterator[None]:
        """One step for each look at the page."""
        count = len(self.results)
        while self._counted()["made"] < self.given.killed_at * count:
            yield
        made = self._counted()["made"]
        self.meter.read()
        self.running.kill(_SIGNING)
        _say(f"signing worker killed with {made} signatures made, {self._since()}")
        self.running.await_back(_SIGNING)
        while self._for_pin() + self._counted()["made"] < count:  # the jobs of the dead are given back first
            yield
        self._picture("batch-for-pin", f"/ket-qua/dot-ky/{batch}")
        if waiting := self._for_pin():
            self._page("the PIN again", "POST", "/ket-qua/go-pin", data={"pin": _PIN})
            self.waits["the PIN is typed again"] = time.monotonic() - self._began
        _say(f"PIN typed again for {waiting}, {self._since()}")
        while self._counted()["made"] < count:
            yield
        self.waits["the leader's own signatures are made"] = time.monotonic() - self._began
        _say(f"all {count} signed by the leader, {self._since()}")
        told = self.authority.be()
        while told["answered"] - self._answered_before < min(40, count):
            yield
            told = self.authority.be()
        self.authority.be(dead=True)
        _say(f"authority dead, {self._since()}, with {told['answered'] - self._answered_before} timestamps given")
        until = time.monotonic() + self.given.dead_s
        pictured = False
        while time.monotonic() < until:
            if not pictured and time.monotonic() > until - self.given.dead_s / 2:
                self._picture("batch-waiting", f"/ket-qua/dot-ky/{batch}")
                pictured = True
            yield
        self.authority.be(dead=False, delay_s=0.0)
        _say(f"authority back, {self._since()}")
        self.waits["the authority is back"] = time.monotonic() - self._began
        while True:
            yield

    def _since(self) -> str:
        return f"{time.monotonic() - self._began:.0f} s after the PIN"

    def _ours(self) -> list[EResult]:
        wanted = {UUID(one["id"]) for one in self.results}
        with self.office.begin() as work:
            leader = work.accounts.of(centre.LEADER).actor
            waiting = [one for one in work.e_results.waiting(leader) if one.id in wanted]
            left = wanted - {one.id for one in waiting}
            return waiting + [work.e_results.for_job(one) for one in left]

    def _counted(self) -> Counter[str]:
        with self.office.begin() as work:
            leader = work.accounts.of(centre.LEADER).actor
            wanted = {UUID(one["id"]) for one in self.results}
            waiting = [one for one in work.e_results.waiting(leader) if one.id in wanted]
        issued = len(wanted) - len(waiting)
        made = sum(one.unstamped is not None or one.state is not ResultState.APPROVED for one in waiting)
        pin = sum(one.trouble == "pin_needed" for one in waiting)
        waits = ("", "pin_needed", "waiting_for_trust_service")
        stopped = sum(one.trouble not in waits for one in waiting)
        return Counter(issued=issued, made=made + issued, pin=pin, stopped=stopped)

    def _for_pin(self) -> int:
        return self._counted()["pin"]

    def _page(self, what: str, method: str, path: str, **more: Any) -> str:
        before, began = self.meter.read(), time.monotonic()
        answer = self.browser.request(method, path, **more)
        took = time.monotonic() - began
        answer.raise_for_status()
        after = self.meter.read()
        web, base = (1000 * (after[part] - before[part]) for part in ("web", "postgresql"))
        self.pages.append((what, web, base, 1000 * took, len(answer.content)))
        _say(f"{what}: {web:.0f} ms of processor in the web, {base:.0f} in PostgreSQL")
        return answer.text

    def _picture(self, name: str, path: str) -> None:
        if self.given.pictures is None:
            return
        from tests.live import chromium

        self.given.pictures.mkdir(parents=True, exist_ok=True)
        cookie = {"name": SESSION_COOKIE, "value": self.browser.cookies[SESSION_COOKIE], "url": self.running.base_url}
        with chromium() as browser, browser.new_context(viewport={"width": 1280, "height": 900}) as context:
            context.add_cookies([cookie])  # type: ignore[list-item]
            page = context.new_page()
            page.goto(self.running.base_url + path)
            page.screenshot(path=self.given.pictures / f"{name}.png")

    def _spent(self, what: str, before: dict[str, float]) -> None:
        after = self.meter.read()
        self.costs[what] = {name: after[name] - before.get(name, 0.0) for name in after}
        _told(what, self.costs[what], len(self.results))

    # --- afterwards ---

    def tell(self) -> int:
        """Print what came of it."""
        count, told = len(self.results), self.authority.be()
        rows = [self._fate(one) for one in self._ours()]
        fates = Counter(row.fate for row in rows)
        values = Counter(value for row in rows for value in row.values)
        doubled = [row for row in rows if row.doubled] + [value for value, n in values.items() if n > 1]
        lost = count - len(rows)
        stuck = sum(row.fate.startswith("stuck") for row in rows)
        if self.given.rows:
            for row in sorted(rows, key=lambda row: row.name):
                print(f"  {row.name:24} {row.fate}")
        print(f"\n{count} results: " + ", ".join(f"{fate} {n}" for fate, n in fates.most_common()))
        print(f"lost {lost}, doubled {len(doubled)}, stuck {stuck}")
        given_out, in_files = told["answered"] - self._answered_before, sum(row.timestamps for row in rows)
        issued = fates["issued"]
        print(
            f"timestamps: {given_out} given out, {in_files} in {issued} files ({in_files / max(issued, 1):.2f} each); "
            f"{told['refused']} questions refused while dead, at most {told['most']} at once"
        )
        print("pages (milliseconds of processor: web, PostgreSQL; of wall; bytes)")
        for what, web, base, wall, size in self.pages:
            print(f"  {what:40} {web:7.0f} {base:7.0f} {wall:7.0f} {size:9}")
        print("the leader's clock, seconds after the PIN")
        for what, seconds in self.waits.items():
            print(f"  {what:40} {seconds:7.1f}")
        peer = self._peer(min(count, 40))
        print(f"peer, both signatures of one result with plain pyHanko calls: {1000 * peer:.0f} ms of processor")
        return 1 if lost or doubled or stuck or issued + fates.total() - issued != count else 0

    def _fate(self, one: EResult) -> _Fate:
        with self.office.begin() as work:
            history = work.audit.of(one.id)
        happened = Counter((line.event, line.detail.get("place", "")) for line in history)
        twice = any(
            n > 1
            for (event, _), n in happened.items()
            if event in ("e_result.made", "e_result.issued", "e_result.approved")
        )
        name = f"{one.full_number}"
        if one.state is not ResultState.ISSUED or one.document is None:
            fate = f"refused: {one.trouble}" if one.trouble not in ("", "waiting_for_trust_service") else "stuck"
            return _Fate(name, fate if one.trouble else f"stuck: {one.state}", twice, (), 0)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "result.pdf")
            self.office.store.fetch(one.document, file)
            with file.open("rb") as read:
                reader = PdfFileReader(read)
                signed = tuple(s.signer_info["signature"].native for s in reader.embedded_regular_signatures)
                tokens = sum(_is_stamped(s.signer_info) for s in reader.embedded_regular_signatures)
                tokens += len(reader.embedded_timestamp_signatures)
            judged = verify(file, trust=self._known)
        good = judged.verdict is Verdict.GENUINE and len(signed) == 2
        return _Fate(name, "issued" if good else f"issued, but {judged.verdict}", twice, signed, tokens)

    @property
    def _known(self) -> Any:
        with self.office.begin() as work:
            return trusted(work)

    def _peer(self, count: int) -> float:
        """Seconds of this process for one result."""
        trust = self._trust
        leader = next(one.subject for one in centre.SIGNERS if one.username == centre.LEADER)
        seal = next(one.subject for one in centre.SIGNERS if one.agency == centre.HONG_GAI and not one.username)
        one = next(one for one in self._ours() if str(one.id) == self.results[0]["id"])
        places = {
            Place(at["place"]): SignaturePlace(Place(at["place"]), at["page"], tuple(at["box"])) for at in one.places
        }
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "source.pdf").write_bytes(self.unsigned)
            hand = appearance.leader(leader.name, artwork.handwriting(leader.name))
            red = appearance.seal(seal.name, artwork.seal(seal.name))
            looks = ((leader, places[Place.LEADER], hand), (seal, places[Place.SEAL], red))
            ready = [
                (plain_signer(trust, who), place, drawn(look, place, folder / f"{place.place}.pdf"))
                for who, place, look in looks
            ]

            def once() -> None:
                steps = [folder / f"{step}.pdf" for step in ("source", "leader-signed", "sealed")]
                for step, (signer, place, stamp) in enumerate(ready):
                    how: dict[str, Any] = {"use_pades_lta": True} if place.place is Place.SEAL else {}
                    source, target = steps[step : step + 2]
                    plain_signature(trust, signer, source, target, place=place, stamp=stamp, **how)

            once()
            began = time.process_time()
            for _ in range(count):
                once()
            return (time.process_time() - began) / count


@dataclass(frozen=True)
class _Fate:
    """What became of one result, from its file, its record and the log."""

    name: str
    fate: str
    doubled: bool
    values: tuple[bytes, ...]
    timestamps: int


def _is_stamped(signer: cms.SignerInfo) -> bool:
    return any(one["type"].native == "signature_time_stamp_token" for one in signer["unsigned_attrs"])


def _told(what: str, parts: dict[str, float], count: int) -> None:
    """Processor milliseconds a result, by part."""
    ours = {name: spent for name, spent in parts.items() if name == "web" or name.startswith("worker")}
    shown = ", ".join(
        f"{name} {1000 * spent / count:.0f}" for name, spent in parts.items() if 1000 * spent / count >= 1
    )
    print(f"{what}: {1000 * sum(ours.values()) / count:.0f} ms of processor a result in web and workers ({shown})")


def _stamp(page: str) -> str:
    found = re.search(r"[?&;]v=([0-9a-f]+)", page)
    return found[1] if found else ""


def _ok(answer: Any) -> Any:
    assert answer.is_success, answer.text
    return answer.json()


def _say(what: str) -> None:
    print(what, flush=True)


if __name__ == "__main__":
    sys.exit(main())
