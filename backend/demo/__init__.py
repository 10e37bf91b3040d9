"""A living, seeded world in the sandbox, and the ledger that audits it."""

from backend.demo.session import Demo, DemoSettings, open_demo
from backend.demo.settle import DemoSummary
from backend.demo.standalone import SandboxOptions, run_sandbox

__all__ = ["Demo", "DemoSettings", "DemoSummary", "SandboxOptions", "open_demo", "run_sandbox"]
