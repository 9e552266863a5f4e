#!/bin/sh
# Makes the strategist's checkpoint again and measures it:
#
#     sh kernel/models/strategist/make.sh [folder] [options of train.py]
#
# The folder is `checkpoint` beside this file by default, Python that of
# $JOYLAB_PYTHON, else of the package's environment, else python3. It needs
# torch, transformers, tokenizers and numpy, and a GPU to be done in minutes.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=$here/checkpoint
case ${1:-} in '' | -*) ;; *) folder=$1; shift ;; esac
python=${JOYLAB_PYTHON:-$here/../../../.venv/bin/python}
[ -x "$python" ] || python=python3
"$python" "$here/train.py" --folder "$folder" "$@"
"$python" "$here/gate.py" "$folder"
