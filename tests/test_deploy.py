"""The files of docs/deploy/ are taken by the programs that read them, where those are installed."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.flows.installation import ROOT

DEPLOY = ROOT / "docs/deploy"
UNITS = sorted(DEPLOY.glob("*.service"))
FOLDERS = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")  # its own are root's
NGINX = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin")


def commands(unit: Path) -> str:
    [found] = re.findall(r"^ExecStart=/srv/lodestar/\.venv/bin/(.+)$", unit.read_text(), re.MULTILINE)
    return str(found)


def test_its_units_run_the_four_processes_of_the_guide() -> None:
    said = (ROOT / "docs/production.md").read_text()
    assert len(UNITS) == 4
    assert [unit.name for unit in UNITS if f"`{unit.name}`" not in said] == []
    assert "--event-port 8001" in commands(DEPLOY / "lodestar.service")
    assert "-Q celery" in commands(DEPLOY / "lodestar-long.service")
    assert "-Q short" in commands(DEPLOY / "lodestar-short.service")
    assert "beat" in commands(DEPLOY / "lodestar-beat.service")


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not here")
def test_systemd_takes_its_units(tmp_path: Path) -> None:
    there = str(Path(sys.executable).parent)
    for unit in UNITS:
        text = unit.read_text().replace("/srv/lodestar/.venv/bin", there).replace("/srv/lodestar", str(ROOT))
        (tmp_path / unit.name).write_text(text)
    names = [str(tmp_path / unit.name) for unit in UNITS]
    done = subprocess.run(
        ["systemd-analyze", "verify", *names], capture_output=True, text=True, timeout=60, check=False
    )
    # What it says of other units of this machine is not ours.
    assert [line for line in done.stderr.splitlines() if "lodestar" in line] == []
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(not (NGINX and shutil.which("openssl")), reason="nginx or openssl is not here")
def test_nginx_takes_its_file(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=www.example.org"]
    subprocess.run([*make, "-keyout", key, "-out", certificate], check=True, capture_output=True, timeout=60)
    server = (DEPLOY / "nginx.conf").read_text()
    server = server.replace("/etc/ssl/certs/www.example.org.pem", str(certificate))
    server = server.replace("/etc/ssl/private/www.example.org.key", str(key))
    folders = "".join(f"{name}_temp_path {tmp_path}/{name};\n" for name in FOLDERS)
    whole = tmp_path / "nginx.conf"
    whole.write_text(
        f"pid {tmp_path}/nginx.pid;\nerror_log stderr;\nevents {{}}\n"
        f"http {{\naccess_log off;\n{folders}{server}}}\n"
    )
    done = subprocess.run(
        [str(NGINX), "-t", "-p", tmp_path, "-c", whole],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
