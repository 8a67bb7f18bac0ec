"""A headless Chromium that tests can drive, over its debugging pipe; nothing to install."""

import base64
import json
import os
import shutil
import subprocess
from contextlib import contextmanager
from itertools import count
from select import select
from time import monotonic

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
_SECONDS = 60


class Browser:
    """One tab: what it is told to do, and all that it complains of."""

    def __init__(self, to_browser, from_browser):
        self._out, self._in, self._numbers = to_browser, from_browser, count(1)
        self._buffer, self._session, self._loaded = b"", None, False
        self.complaints = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method, **parameters):
        """Call a method of the protocol and return its result."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            told = self._read()
            if told.get("id") == number:
                assert "error" not in told, (method, told["error"])
                return told["result"]

    def _read(self):
        end = monotonic() + _SECONDS
        while b"\0" not in self._buffer:
            ready, _, _ = select([self._in], [], [], end - monotonic())
            assert ready, f"the browser says nothing for {_SECONDS} seconds"
            data = os.read(self._in, 1 << 20)
            assert data, "the browser has gone"
            self._buffer += data
        line, self._buffer = self._buffer.split(b"\0", 1)
        told = json.loads(line)
        self._note(told.get("method"), told.get("params", {}))
        return told

    def _note(self, event, told):
        if event == "Page.loadEventFired":
            self._loaded = True
        elif event == "Runtime.exceptionThrown":
            self.complaints.append(told["exceptionDetails"].get("exception", told))
        elif event == "Runtime.consoleAPICalled" and told["type"] in ("error", "warning"):
            self.complaints.append(told["args"])
        elif event == "Log.entryAdded" and told["entry"]["level"] in ("error", "warning"):
            self.complaints.append(told["entry"])
        elif event == "Network.requestWillBeSent":
            url = told["request"]["url"]
            if not url.startswith(("file:", "data:", "about:")):
                self.complaints.append(url)

    def open(self, path, width=1200, height=900):
        """Open a file in a window of that many pixels and wait until it is loaded."""
        self._loaded = False
        self.resize(width, height)
        self.call("Page.navigate", url=f"file://{path}")
        while not self._loaded:
            self._read()

    def resize(self, width, height):
        """Give the window a size; narrow ones are phones."""
        phone = width < 600
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=phone,
        )  # fmt: skip

    def media(self, kind="screen", scheme="light"):
        """Show the page as on that medium, in that colour scheme."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.call("Emulation.setEmulatedMedia", media=kind, features=features)

    def run(self, script):
        """Return the value of a JavaScript expression, once the page has been drawn."""
        done = self.call(
            "Runtime.evaluate",
            expression=f"new Promise(r=>setTimeout(()=>r(eval({json.dumps(script)})),30))",
            awaitPromise=True,
            returnByValue=True,
            userGesture=True,
        )
        assert "exceptionDetails" not in done, done["exceptionDetails"]
        return done["result"].get("value")

    def press(self, key, shift=False):
        """Press a key: a letter, or Tab, Enter, Escape, Space."""
        codes = {"Tab": 9, "Enter": 13, "Escape": 27, "Space": 32}
        text = {"Enter": "\r", "Space": " "}.get(key, key if len(key) == 1 else None)
        name = " " if key == "Space" else key
        common = {"key": name, "modifiers": 8 * shift, "windowsVirtualKeyCode": codes.get(key, 0)}
        down = {**common, "text": text} if text else common
        self.call("Input.dispatchKeyEvent", type="keyDown", **down)
        self.call("Input.dispatchKeyEvent", type="keyUp", **common)

    def screenshot(self, path):
        """Write what the window shows as a PNG."""
        data = self.call("Page.captureScreenshot", format="png")["data"]
        path.write_bytes(base64.b64decode(data))

    def print(self, path):
        """Write the page as a PDF, as the browser prints it."""
        data = self.call("Page.printToPDF", preferCSSPageSize=True)["data"]
        path.write_bytes(base64.b64decode(data))


@contextmanager
def browser(profile):
    """Start Chromium with its profile in a folder, and end it in the end."""
    here_read, there_write = os.pipe()
    there_read, here_write = os.pipe()
    # The browser reads from descriptor 3 and writes to 4.
    high = [os.dup2(there_read, 113), os.dup2(there_write, 114)]
    process = subprocess.Popen(
        ["bash", "-c", 'exec "$0" "$@" 3<&113 4>&114 113<&- 114>&-', CHROMIUM,
         "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
         "--no-first-run", "--disable-extensions", "--disable-background-networking",
         "--hide-scrollbars", "--remote-debugging-pipe", f"--user-data-dir={profile}"],
        pass_fds=high, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    for descriptor in (there_read, there_write, *high):
        os.close(descriptor)
    try:
        yield Browser(here_write, here_read)
    finally:
        process.terminate()
        process.wait(_SECONDS)
        os.close(here_write)
        os.close(here_read)
