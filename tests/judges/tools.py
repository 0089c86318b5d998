"""Where the judges come from: packages of the distribution and of the languages' registries, fetched into var/judges.

Nothing is installed into the system. Whatever cannot be had is `Missing`, and said loudly by whoever asked.
"""

import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "var" / "judges"
HERE = Path(__file__).resolve().parent
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
TRANSMUTE = "@transmute/rfc9162@0.0.5"
SIGSTORE = "sigstore==4.5.1"


class Missing(Exception):
    """A judge cannot be had here; the text says why."""


def run(*command: object, within_s: float = 300, **more: object) -> str:
    """The output of a command. Raises: Missing, when it is not there, fails, or takes too long."""
    words = [str(word) for word in command]
    try:
        done = subprocess.run(words, check=True, capture_output=True, text=True, timeout=within_s, **more)  # type: ignore[call-overload]
    except FileNotFoundError:
        raise Missing(f"{words[0]} is not installed") from None
    except subprocess.TimeoutExpired:
        raise Missing(f"{Path(words[0]).name} took longer than {within_s:.0f} s") from None
    except subprocess.CalledProcessError as error:
        said = (error.stderr or error.stdout or "").strip().splitlines()
        raise Missing(f"{Path(words[0]).name}: {said[-1] if said else 'failed'}") from None
    return str(done.stdout)


def go_judge() -> Path:
    """The Go judge, built from Debian's golang-go and golang-golang-x-mod-dev."""
    if shutil.which("go") is None:
        raise Missing("Go is not installed (apt-get install golang-go golang-golang-x-mod-dev)")
    if not Path("/usr/share/gocode/src/golang.org/x/mod").exists():
        raise Missing("x/mod is not installed (apt-get install golang-golang-x-mod-dev)")
    FOLDER.mkdir(parents=True, exist_ok=True)
    environment = {
        **os.environ,
        "GO111MODULE": "off",
        "GOPATH": "/usr/share/gocode",
        "GOCACHE": str(FOLDER / "go-cache"),
        "GOFLAGS": "",
    }
    target = FOLDER / "judge"
    run("go", "build", "-o", target, HERE / "judge.go", env=environment)
    return target


def transmute() -> tuple[Path, Path]:
    """Node, and the folder with @transmute/rfc9162."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise Missing("node and npm are not installed")
    folder = FOLDER / "npm"
    if not (folder / "node_modules" / "@transmute" / "rfc9162").exists():
        folder.mkdir(parents=True, exist_ok=True)
        run(npm, "install", "--prefix", folder, "--ignore-scripts", "--no-audit", "--no-fund", TRANSMUTE)
    return Path(node), folder / "node_modules" / "@transmute" / "rfc9162"


def sigstore() -> Path:
    """A Python of its own with sigstore."""
    python = FOLDER / "sigstore" / "bin" / "python"
    if not python.exists():
        run("python3", "-m", "venv", FOLDER / "sigstore")
    try:
        run(python, "-c", "import sigstore")
    except Missing:
        run(python, "-m", "pip", "install", "--quiet", SIGSTORE, within_s=600)
    return python


def debian(package: str, suite: str, program: str) -> Path:
    """A program out of a package of another Debian suite: downloaded with apt (signed), unpacked, never installed."""
    found = shutil.which(program)
    if found:
        return Path(found)
    target = FOLDER / "debian" / package
    path = target / "usr" / "bin" / program
    if path.exists():
        return path
    if shutil.which("apt-get") is None or not KEYRING.exists():
        raise Missing(f"{program} is not installed, and this is no Debian to get {package} from")
    mirrors = run("apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages").split()
    mirror = next((uri for uri in mirrors if uri.rstrip("/").endswith("/debian")), None)
    if mirror is None:
        raise Missing(f"{program} is not installed, and no Debian mirror is configured")
    apt = FOLDER / "apt" / suite
    for folder in ("lists/partial", "cache/archives/partial"):
        (apt / folder).mkdir(parents=True, exist_ok=True)
    (apt / "sources.list").write_text(f"deb [signed-by={KEYRING}] {mirror} {suite} main\n")
    options = [
        f"-oDir::Etc::sourcelist={apt / 'sources.list'}",
        "-oDir::Etc::sourceparts=/dev/null",
        f"-oDir::State::lists={apt / 'lists'}",
        f"-oDir::Cache={apt / 'cache'}",
        "-oAPT::Sandbox::User=root",
    ]
    run("apt-get", *options, "update")
    run("apt-get", *options, "download", f"{package}/{suite}", cwd=apt)
    target.mkdir(parents=True, exist_ok=True)
    for file in apt.glob(f"{package}_*.deb"):
        run("dpkg", "-x", file, target)
    if not path.exists():
        raise Missing(f"{package} of {suite} holds no {program}")
    return path
