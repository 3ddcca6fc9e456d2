#!/usr/bin/env bash
# Re-runs what is written of Dance with Melody's network: scales by feature or by number, overlapping windows, variants.
#     bash scripts/melody_experiment.sh DANCES WORK [STEPS]
# DANCES: the corpus of Dance with Melody, see `ictus data inspect melody`. One CPU core takes an hour.
set -euo pipefail
dances=$1 work=$2 steps=${3:-6000}
ictus data prepare melody --data "$dances" --out "$work/melody"
for recipe in melody melody-dimension melody-z-score melody-no-overlap melody-lstm melody-index melody-mask; do
    ictus train "recipes/$recipe.yaml" --data "$work/melody" --out "$work/$recipe" --resume --set \
        training.epochs=10000 training.steps="$steps" training.workers=0 training.validate_first=false \
        training.log_every=50
done
python scripts/curves.py error "$work/melody-curves.png" "$work"/melody*/log.jsonl
