#!/usr/bin/env python3
"""Holds the cache of the hub to Python's huggingface_hub: each reads what the other fetched.

    tools/verify_hub.py [--vit .build/release/vit]

Needs huggingface_hub, and openssl for a certificate. The hub is tools/hub_server.py on this machine; nothing else is asked.
"""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(__file__))
import hub_server  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent
FIXTURES = ROOT / "Tests/Fixtures/checkpoints"
FILES = ["config.json", "preprocessor_config.json", "model.safetensors"]
NAME = "owner/vit"
failures = 0


def check(is_right, sentence):
    global failures
    print("ok  " if is_right else "FAIL", sentence)
    failures += not is_right


def publish(hub, checkpoint, name):
    folder = hub / name
    folder.mkdir(parents=True)
    for file in FILES:
        shutil.copy(FIXTURES / checkpoint / file, folder / file)
    (folder / "README.md").write_text("A model.\n")


class Client:
    """Runs vit and Python with a cache of their own."""

    def __init__(self, vit, endpoint, cache):
        self.vit, self.cache = vit, cache
        self.environment = {**os.environ, "HF_ENDPOINT": endpoint, "HF_HUB_CACHE": str(cache), "HF_HOME": str(cache) + "-home",
                            "HF_HUB_OFFLINE": "0", "HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_XET": "1",
                            "HF_HUB_DISABLE_UPDATE_CHECK": "1", "NO_PROXY": "*"}
        self.environment.pop("HF_TOKEN", None)

    def run_vit(self, *arguments, **variables):
        result = subprocess.run([self.vit, *arguments], env={**self.environment, **variables}, capture_output=True, text=True)
        if result.returncode:
            print(result.stderr, end="", file=sys.stderr)
        return result

    def start_python(self, expression, **variables):
        code = f"import huggingface_hub as hub, json; print(json.dumps({expression}))"
        return subprocess.Popen([sys.executable, "-c", code], env={**self.environment, **variables}, stdout=subprocess.PIPE, text=True)

    def run_python(self, expression, **variables):
        process = self.start_python(expression, **variables)
        output = process.communicate()[0]
        return json.loads(output) if process.returncode == 0 else None


def vit_first(vit, endpoint, folder):
    client = Client(vit, endpoint, folder / "by-vit")
    check(client.run_vit("models", "--download", NAME).returncode == 0, "vit fetches a model")
    snapshot = client.run_python(f"hub.snapshot_download({NAME!r}, local_files_only=True)")
    listed = json.loads(client.run_vit("models", "--format", "json").stdout)
    path = next(model["path"] for model in listed if model["name"] == NAME)
    check(snapshot == path, f"snapshot_download(local_files_only=True) finds what vit fetched: {snapshot}")
    found = client.run_python(f"[hub.try_to_load_from_cache({NAME!r}, name) for name in {FILES!r}]")
    check(found == [f"{path}/{name}" for name in FILES], "try_to_load_from_cache finds each file")
    scan = client.run_python(
        "(lambda s: [[r.repo_id for r in s.repos], [str(w) for w in s.warnings],"
        " [sorted(v.refs) for r in s.repos for v in r.revisions]])(hub.scan_cache_dir())")
    check(scan == [[NAME], [], [["main"]]], f"scan_cache_dir finds nothing odd: {scan}")
    before = requests(folder)
    whole = client.run_python(f"hub.snapshot_download({NAME!r})")
    fetched = {entry["path"] for entry in before_after(before, folder) if entry["method"] == "GET" and "resolve" in entry["path"]}
    check(whole == path and all("README.md" in name for name in fetched), f"Python fetches only what vit left out: {fetched}")


def python_first(vit, endpoint, folder):
    client = Client(vit, endpoint, folder / "by-python")
    snapshot = client.run_python(f"hub.snapshot_download({NAME!r})")
    before = requests(folder)
    for variables in ({}, {"HF_HUB_OFFLINE": "1"}):
        result = client.run_vit("inspect", NAME, "--format", "json", **variables)
        path = json.loads(result.stdout)["path"] if result.returncode == 0 else None
        check(path == f"{snapshot}/model.safetensors", f"vit reads what Python fetched {variables}: {path}")
    check(not before_after(before, folder), "vit asks nobody for it")
    # What Python fetched in part, vit completes in the same snapshot.
    client = Client(vit, endpoint, folder / "in-part")
    config = client.run_python(f"hub.hf_hub_download({NAME!r}, 'config.json')")
    check(client.run_vit("inspect", NAME).returncode == 0, "vit completes what Python fetched in part")
    path = client.run_python(f"hub.snapshot_download({NAME!r}, local_files_only=True)")
    check(config == f"{path}/config.json" and os.path.exists(f"{path}/model.safetensors"), f"in the same snapshot: {path}")


def both_at_once(vit, endpoint, folder):
    client = Client(vit, endpoint, folder / "both")
    python = client.start_python(f"hub.snapshot_download({NAME!r})")
    result = client.run_vit("models", "--download", NAME)
    check(python.wait() == 0 and result.returncode == 0, "both fetch the same model at once")
    check(client.run_vit("inspect", NAME, HF_HUB_OFFLINE="1").returncode == 0, "and what they left is read")


def updates(vit, endpoint, folder, hub):
    client = Client(vit, endpoint, folder / "updated")
    client.run_vit("models", "--download", NAME)
    first = client.run_python(f"hub.snapshot_download({NAME!r}, local_files_only=True)")
    (hub / NAME / "preprocessor_config.json").write_text((FIXTURES / "hf-vit/preprocessor_config.json").read_text() + "\n")
    check(client.run_vit("inspect", NAME).returncode == 0, "the cached commit is used until an update is asked for")
    same = client.run_python(f"hub.snapshot_download({NAME!r}, local_files_only=True)")
    client.run_vit("models", "--download", NAME)
    second = client.run_python(f"hub.snapshot_download({NAME!r}, local_files_only=True)")
    check(first == same != second, "--download updates to the newest commit, for Python too")
    check(os.path.realpath(f"{first}/model.safetensors") == os.path.realpath(f"{second}/model.safetensors"), "sharing what is the same")


def secured(vit, folder, hub):
    """A certificate that nobody signed is refused before the token is sent; one that is trusted is taken."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-days", "2", "-subj",
         "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"], check=True, capture_output=True)
    endpoint, _ = hub_server.start(hub, {"token": "hf_secret"}, (certificate, key))
    client = Client(vit, endpoint, folder / "secured")
    before = requests(folder)
    refused = client.run_vit("models", "--download", NAME, HF_TOKEN="hf_secret")
    check(refused.returncode == 74 and "certificate" in refused.stderr and not before_after(before, folder),
          f"a certificate that is not trusted is refused: {refused.stderr.splitlines()[-1:]}")
    taken = client.run_vit("models", "--download", NAME, HF_TOKEN="hf_secret", CURL_CA_BUNDLE=str(certificate))
    check(taken.returncode == 0, "a model is fetched by TLS")
    tokens = {entry["server"]: entry["authorization"] for entry in before_after(before, folder)}
    check(tokens == {"hub": "Bearer hf_secret", "store": None}, f"the token goes to the hub alone: {sorted(tokens)}")


def requests(folder):
    log = folder / "hub.log"
    return log.read_text().splitlines() if log.exists() else []


def before_after(before, folder):
    return [json.loads(line) for line in requests(folder)[len(before):]]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--vit", default=str(ROOT / ".build/release/vit"))
    vit = os.path.abspath(parser.parse_args().vit)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name).resolve()
        hub = folder / "hub"
        publish(hub, "hf-vit", NAME)
        endpoint, _ = hub_server.start(hub, {})
        vit_first(vit, endpoint, folder)
        python_first(vit, endpoint, folder)
        both_at_once(vit, endpoint, folder)
        updates(vit, endpoint, folder, hub)
        secured(vit, folder, hub)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
