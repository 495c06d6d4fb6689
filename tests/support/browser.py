"""Drives Chromium, without a window, through its DevTools protocol over a pair of pipes."""

import base64
import collections
import fcntl
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time

from support.server import die_with_parent, wait_until

PROGRAM = shutil.which("chromium")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--lang=en-US", "--remote-debugging-pipe"]


def _pipe():
    """Both ends have numbers that leave room for those that Chromium expects: 3 and 4."""
    return [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in os.pipe()]


class Browser:
    """One process with a profile of its own. Use as a context manager."""

    def __init__(self, timeout=60.0):
        self.timeout = timeout
        self.profile = tempfile.mkdtemp(prefix="standings-browser-")
        hears, self.to = _pipe()
        self.of, says = _pipe()
        self.process = subprocess.Popen(
            ["bash", "-c", f'exec "$0" "$@" 3<&{hears} 4>&{says} {hears}<&- {says}>&-', PROGRAM, *FLAGS, f"--user-data-dir={self.profile}"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, pass_fds=(hears, says),
            start_new_session=True, preexec_fn=die_with_parent, env={**os.environ, "HOME": self.profile})
        os.close(hears)
        os.close(says)
        self.raw = b""
        self.ids = 0
        self.events = collections.deque()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self.to)
        os.close(self.of)
        # Its helpers may write for a moment yet.
        wait_until(lambda: shutil.rmtree(self.profile, ignore_errors=True) or not os.path.exists(self.profile), "the profile to go")

    def call(self, method, session=None, **parameters):
        """The result of one command. What is told meanwhile is kept in `events`."""
        self.ids += 1
        message = {"id": self.ids, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.to, data):]
        deadline = time.monotonic() + self.timeout
        while True:
            answer = self._next(deadline, method)
            if answer.get("id") == self.ids:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return answer["result"]
            self.events.append(answer)

    def _next(self, deadline, method):
        while b"\0" not in self.raw:
            ready, _, _ = select.select([self.of], [], [], max(0, deadline - time.monotonic()))
            assert ready, f"the browser has not answered {method}"
            piece = os.read(self.of, 1 << 20)
            assert piece, "the browser has ended"
            self.raw += piece
        text, _, self.raw = self.raw.partition(b"\0")
        return json.loads(text)

    def open(self, url, *, width=1000, height=900, still=False, script=""):
        """A page at `url`. `still`: of somebody who wants no motion. `script` runs before those of the page."""
        return Page(self, url, width, height, still, script)


class Page:
    def __init__(self, browser, url, width, height, still, script):
        self.browser = browser
        self.target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = browser.call("Target.attachToTarget", targetId=self.target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        motion = "reduce" if still else "no-preference"
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-reduced-motion", "value": motion}])
        self.call("Page.addScriptToEvaluateOnNewDocument", source=script)
        self.call("Page.navigate", url=url)
        self.until('document.readyState === "complete"', f"{url} to be loaded")

    def call(self, method, **parameters):
        return self.browser.call(method, self.session, **parameters)

    def close(self):
        self.browser.call("Target.closeTarget", targetId=self.target)

    def evaluate(self, expression):
        """The value of JavaScript in the page; of a promise, what it comes to."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def text(self, selector):
        return self.evaluate(f"document.querySelector({json.dumps(selector)})?.textContent ?? ''")

    def until(self, expression, what, seconds=30.0):
        """The value of the expression as soon as it is true."""
        deadline = time.monotonic() + seconds
        while not (value := self.evaluate(expression)):
            assert time.monotonic() < deadline, f"waited in vain for {what}; the page shows {self.text('main')!r}"
            time.sleep(0.02)
        return value

    def slow_down(self):
        """So that whatever moves is still moving when a test looks."""
        self.call("Animation.enable")
        self.call("Animation.setPlaybackRate", playbackRate=0.01)

    def errors(self):
        """What the console of the page complains of, but for the icon that browsers ask for by themselves."""
        found = []
        for event in self.browser.events:
            if event.get("sessionId") != self.session:
                continue
            if event["method"] == "Runtime.exceptionThrown":
                found.append(event["params"]["exceptionDetails"])
            entry = event["params"].get("entry", {})
            if entry.get("level") == "error" and not entry.get("url", "").endswith("/favicon.ico"):
                found.append(entry)
        return found

    def screenshot(self, path):
        with open(path, "wb") as file:
            file.write(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))
