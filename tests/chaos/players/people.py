"""`python -m tests.chaos.players.people CAST FILE`: people who sign in and decide about withdrawals, until SIGTERM."""

import html
import random
import re
import signal
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import requests

from tests.chaos.players import cast, codes
from tests.chaos.players.bots import give_up
from tests.chaos.players.cast import BASE_URL, PASSWORD, Person
from tests.chaos.players.clients import named
from tests.chaos.players.record import Call, Record

PATIENCE: Final = 30
# How long somebody looks at the inbox before they look again.
PAUSE: Final = 3.0
REJECTED_OF_HUNDRED: Final = 20
WAITING: Final = re.compile(r'href="(?:/inbox/)?/requests/([A-Za-z0-9]{6,16})/')
CSRF: Final = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
DIGEST: Final = re.compile(r'name="digest" value="([0-9a-f]{64})"')
ERROR: Final = re.compile(r'(?:role="alert"|class="[^"]*error[^"]*")[^>]*>\s*(?:<[^>]+>\s*)*([^<]{3,80})')
SAID: Final = re.compile(r"<p>(You (?:approved|rejected) .*?)</p>")


class NotSignedIn(Exception):
    """The page is not one that is shown to them."""


@dataclass
class Visitor:
    """A person at a browser of their own, which keeps cookies and nothing else."""

    person: Person
    record: Record
    chance: random.Random
    session: requests.Session = field(default_factory=requests.Session)
    spent: int = 0
    is_signed_in: bool = False

    def run(self, over: threading.Event) -> None:
        """Until it is over: sign in where they are not, look what waits, decide one."""
        while not over.is_set():
            try:
                if not self.is_signed_in:
                    self._sign_in(over)
                self._decide_one(over)
            except NotSignedIn:
                self.is_signed_in = False
            except requests.RequestException:
                pass
            over.wait(PAUSE * self.chance.uniform(0.5, 1.5))

    def _sign_in(self, over: threading.Event) -> None:
        call = self.record.begin(self.person.email, "sign in", {})
        try:
            self.session.cookies.clear()
            page = self._get("/sign-in/")
            page = self._post("/sign-in/", page, email=self.person.email, password=PASSWORD)
            if "/sign-in/code/" not in page.url:
                call.refused(f"the password: HTTP {page.status_code}")
                return
            self.session.headers["Referer"] = page.url
            page = self._post("/sign-in/code/", page, code=self._code(over))
        except requests.RequestException as error:
            call.unknown(named(error))
            return
        self.is_signed_in = "/sign-in/" not in page.url
        if self.is_signed_in:
            call.done(page.url.removeprefix(BASE_URL))
        else:
            call.refused("the code")

    def _decide_one(self, over: threading.Event) -> None:
        waiting = list(dict.fromkeys(WAITING.findall(self._page("/inbox/").text)))
        if not waiting:
            return
        reference = self.chance.choice(waiting)
        page = self._page(f"/requests/{reference}/")
        digest = DIGEST.search(page.text)
        if digest is None:
            return
        decision = "reject" if self.chance.uniform(0, 100) < REJECTED_OF_HUNDRED else "approve"
        reason = "not today" if decision == "reject" else ""
        code = self._code(over)
        fields = {"reference": reference, "decision": decision}
        call = self.record.begin(self.person.email, "decide", fields)
        try:
            answer = self._post(
                f"/requests/{reference}/decide/", page, digest=digest[1], decision=decision, code=code, reason=reason
            )
        except requests.RequestException as error:
            call.unknown(named(error))
            raise
        self._note(call, answer, decision)

    def _note(self, call: Call, answer: requests.Response, decision: str) -> None:
        said = SAID.search(answer.text)
        if answer.status_code >= 500:
            call.unknown(f"HTTP {answer.status_code}")
        elif said and said[1].startswith("You approved" if decision == "approve" else "You rejected"):
            call.done(html.unescape(said[1]))
        elif not answer.history:
            # The form came back: nothing was decided.
            error = ERROR.search(answer.text)
            call.refused(f"the form: HTTP {answer.status_code} {error[1] if error else ''}")
        else:
            error = ERROR.search(answer.text)
            call.unknown(f"no word of it: {error[1] if error else ''}")

    def _code(self, over: threading.Event) -> str:
        """What the app shows; each code serves once, so they wait for the next."""
        while (step := int(time.time()) // codes.STEP) <= self.spent and not over.is_set():
            over.wait(0.2)
        self.spent = step
        return codes.totp(self.person.seed, step)

    def _page(self, path: str) -> requests.Response:
        call = self.record.begin(self.person.email, "page", {"path": path.split("/")[1]})
        try:
            answer = self._get(path)
        except requests.RequestException as error:
            call.unknown(named(error))
            raise
        if "/sign-in/" in answer.url:
            call.refused("signed out")
            raise NotSignedIn
        call.done(answer.status_code)
        return answer

    def _get(self, path: str) -> requests.Response:
        answer = self.session.get(BASE_URL + path, timeout=PATIENCE)
        if answer.status_code >= 500:
            answer.raise_for_status()
        self.session.headers["Referer"] = answer.url
        return answer

    def _post(self, path: str, page: requests.Response, **fields: str) -> requests.Response:
        token = CSRF.search(page.text)
        data = {"csrfmiddlewaretoken": token[1] if token else "", **fields}
        return self.session.post(BASE_URL + path, data=data, timeout=PATIENCE)


def main(cast_file: Path, file: Path) -> None:
    """All of them."""
    over = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: over.set())
    threading.excepthook = give_up
    with Record(file) as record:
        visitors = [
            Visitor(person, record, random.Random(number)) for number, person in enumerate(cast.read(cast_file).people)
        ]
        threads = [threading.Thread(target=visitor.run, args=(over,), daemon=True) for visitor in visitors]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
