# Sourced by ./demo, ./check and .ci/run from the top of the checkout. Makes a virtual environment with the exact
# versions of requirements.lock and this checkout in it, and sets $bin. Quick when nothing has changed since.
venv=${FACETCODE_VENV:-.venv}
bin=$venv/bin
stamp="$(cat requirements.lock pyproject.toml | cksum) $PWD"

if [ "$(cat "$venv/facetcode.stamp" 2>/dev/null)" != "$stamp" ]; then
  for python in python3.11 python3 python ""; do
    "${python:-false}" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' >/dev/null 2>&1 && break
  done
  [ -n "$python" ] || { echo "Python 3.11 is needed: requirements.lock holds its versions." >&2; exit 2; }
  echo "Setting up $venv (once; about a minute) ..." >&2
  export PIP_DISABLE_PIP_VERSION_CHECK=1
  "$python" -m venv "$venv"
  "$bin/python" -m pip install --quiet -r requirements.lock
  "$bin/python" -m pip install --quiet --no-deps --no-build-isolation --editable .
  echo "$stamp" >"$venv/facetcode.stamp"
fi
