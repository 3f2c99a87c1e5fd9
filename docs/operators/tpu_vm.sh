#!/bin/bash
# Install genjax on a TPU VM and train there as a service: tpu_vm.sh CONFIG RUN [FLAG ...]
# On every worker of a pod slice, with RUN on a disk that they share, and --distributed.
# The checkout is in /opt/genjax (CHECKOUT), its environment is made in /opt/venv (VENV).
set -euo pipefail
CHECKOUT=${CHECKOUT:-/opt/genjax}
VENV=${VENV:-/opt/venv}

if [ ! -x "$VENV/bin/genjax" ]; then
    python3 -m venv "$VENV"
    "$VENV/bin/pip" install --quiet --editable "${CHECKOUT}[tpu]"
fi

# When the machine is taken away, systemd stops its services: SIGTERM, and SIGKILL after TimeoutStopSec. A process that
# lost another one ends with 1 and begins again; bad input, 2, would be refused again.
exec systemd-run --unit=genjax --collect --working-directory="$CHECKOUT" \
    --setenv=XDG_CACHE_HOME="${XDG_CACHE_HOME:-/var/cache}" \
    --property=TimeoutStopSec=60 --property=KillMode=mixed \
    --property=Restart=on-failure --property=RestartPreventExitStatus=2 --property=RestartSec=10 \
    --property=StartLimitIntervalSec=3600 --property=StartLimitBurst=20 \
    "$VENV/bin/genjax" train --config="$1" --workdir="$2" "${@:3}"
