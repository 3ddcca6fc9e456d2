#!/usr/bin/env bash
# Makes the lifter that the package ships: corpus, training, measurement, model card.
#     bash scripts/lifter.sh DANCES MODERN WORK
# DANCES: a folder of real dances of AIST++; MODERN: one of CMU's. WORK: where the corpus, the run and the tables go.
# The dances of lifter_views.py's --held-out are not trained on, and choose the checkpoint: the shipped one is of step 640
# of 1600, after which the run was stopped. Two CPU cores take half an hour.
set -euo pipefail
dances=$1 modern=$2 work=$3

python scripts/lifter_views.py "$dances" "$work/views"
python scripts/lifter_views.py "$modern" "$work/views"
ictus train recipes/lifter.yaml --data "$work/views" --out "$work/lifter" --resume --set training.workers=1
python scripts/ship.py lifter "$work/lifter/model"
python scripts/known_dances.py "$dances" --only gWA gKR gLO gJB >"$work/known_dances.md"
