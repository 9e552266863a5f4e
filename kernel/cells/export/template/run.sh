#!/bin/bash
# Installs what train.py needs, and runs it. What is mounted may be read-only: it works on a copy.
set -e
cp -r "$(dirname "$0")" /tmp/train
cd /tmp/train
pip install --quiet -r requirements.txt -r requirements-job.txt
npm install --ignore-scripts --no-audit --no-fund ./joylab.tgz
exec python train.py
