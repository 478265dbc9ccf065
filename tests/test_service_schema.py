"""The service against its own OpenAPI description: valid requests are answered, others refused, all as described.

FACETCODE_EXAMPLES=2000 makes it as thorough as a release wants it (requests of each operation that takes a body).
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from service_server import served

pytest.importorskip("schemathesis", reason="set up with requirements.lock")

EXAMPLES = os.environ.get("FACETCODE_EXAMPLES", "60")
SETTINGS = """
[checks]  # a text that is too long is 413 here
negative_data_rejection.expected-statuses = ["400", "401", "404", "405", "413", "415", "422"]

[[operations]]  # what a FHIR resource must be is not told here
include-path = "/v1/fhir/code"
checks.positive_data_acceptance.enabled = false
"""


def test_answers_are_as_described(tmp_path: Path) -> None:
    """Real requests to a real service; the log says that good and bad ones were among them."""
    (tmp_path / "settings.toml").write_text(SETTINGS)
    options = ("--store", str(tmp_path / "s.sqlite"), "--max-chars", "3000", "--batch-limit", "4")
    with served(tmp_path, *options) as server:
        call = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(tmp_path / "settings.toml"), "run"]
        call += [f"{server.url}/openapi.json", "--max-examples", EXAMPLES, "--seed", "1", "--no-color"]
        done = subprocess.run(call, capture_output=True, text=True, check=False, cwd=tmp_path)
        assert server.stop() == 0
        answered = re.findall(r"facetcode.service: (\S+ \S+ \d+)", server.log)
    assert done.returncode == 0, done.stdout[-5000:]
    counted = {kind: answered.count(kind) for kind in set(answered)}
    assert counted["POST /v1/code 200"] > int(EXAMPLES) / 10, json.dumps(counted)
    assert counted["POST /v1/code 422"] > int(EXAMPLES) / 10
    assert counted["POST /v1/code/batch 200"] > int(EXAMPLES) / 10
    assert counted["POST /v1/decisions 201"] > int(EXAMPLES) / 10
    assert not [kind for kind in counted if kind.startswith("POST") and " 5" in kind]
