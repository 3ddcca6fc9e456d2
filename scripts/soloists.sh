#!/usr/bin/env bash
# Makes the soloist and the instrument classifier that the package ships: corpus, training, ablation, evaluation, model cards.
#     bash scripts/soloists.sh SCORES WORK SOUNDFONT...
# SCORES: a folder of scores, see `ictus data prepare players`. WORK: where the corpus and the runs go.
# Two CPU cores take six hours.
set -euo pipefail
scores=$1 work=$2
shift 2

fonts=()
for font in "$@"; do fonts+=(--soundfont "$font"); done
players=$work/players
prepare() { # [OPTIONS]: what is there already is kept
    ictus data prepare players --data "$scores" --out "$players" --takes 4 --workers 2 "${fonts[@]}" "$@"
}
learn() { # RECIPE NAME [--set ...]: what has been learnt already is not learnt again
    local recipe=$1 name=$2
    shift 2
    ictus train "recipes/$recipe.yaml" --data "$players" --out "$work/$name" --resume --set training.validate_first=false "$@"
}

prepare --hours 3
learn keypoints keypoints training.steps=500 training.batch=8
learn instrument-classifier instrument-classifier training.steps=1500
learn codebook-small codebook training.steps=4000
codes=(codebook="$work/codebook/model")
learn vocoder-spectral vocoder

# To read pitches from hands takes more players than anything else does.
prepare --split train --hours 14.9
learn soloist-small soloist "${codes[@]}" keypoints="$work/keypoints/model" training.steps=8600
learn soloist-keypoints soloist-keypoints "${codes[@]}" keypoints="$work/keypoints/model" training.steps=8600
learn soloist-instrument soloist-instrument "${codes[@]}" training.steps=1400
learn soloist-none soloist-none "${codes[@]}" training.steps=1400

ictus evaluate sound --data "$players" --split val --judge "$work/instrument-classifier/model" --reference train --vocoder griffin-lim --limit-hours 0.17 \
    --model "$work/soloist/model" --model "$work/soloist-keypoints/model" --model "$work/soloist-instrument/model" \
    --model "$work/soloist-none/model" -o "$work/soloists.json" -o "$work/soloists.md"
cp -r "$work/vocoder/model" "$work/soloist/model/vocoder"
python scripts/ship.py instrument-classifier "$work/instrument-classifier/model"
python scripts/ship.py soloist "$work/soloist/model" --table "$work/soloists.json"
