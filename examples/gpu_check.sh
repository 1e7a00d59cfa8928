#!/usr/bin/env bash
# What training does on this GPU: its tests, its speed and its losses, in a table.
#
#     bash examples/gpu_check.sh
#
# Meant to take less than eight minutes on one modern GPU; not yet run on any. Try it on
# a CPU, at a tiny size:
#
#     DEVICE=cpu SIZE=32 STEPS=3 BATCH=4 bash examples/gpu_check.sh
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python}
device=${DEVICE:-cuda}
begun=$SECONDS

if [ "$device" = cuda ]; then
    nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader || true
fi
export PYTHONPATH="$PWD${PYTHONPATH:+:$PYTHONPATH}"
"$python" -c "import torch; print('torch', torch.__version__, 'CUDA', torch.version.cuda)"

# 1. The tests marked gpu. Where one fails, the table is made all the same.
failed=0
"$python" -m pytest -q -p no:cacheprovider -m gpu ${TESTS:-tests} || failed=$?
echo "tests marked gpu: status $failed, $((SECONDS - begun)) s"

# 2. The table. With COMPILE=1 also of a network that torch compiles (minutes).
"$python" examples/gpu_check.py --device "$device" --size "${SIZE:-224}" \
    --steps "${STEPS:-200}" --batch-size "${BATCH:-32}" ${COMPILE:+--compile}
echo "all of it took $((SECONDS - begun)) s"
exit "$failed"
