#!/usr/bin/env bash
# Makes the conductors that the package ships: corpus, training, evaluation, model cards.
#     bash scripts/conductors.sh SCORES WORK [EVALUATOR]
# SCORES: a folder of scores, see `ictus data prepare synthetic`. WORK: where the corpus and the runs go.
# EVALUATOR: an M2S-Net for the sync error that was trained on other data; without it there is none.
# Two CPU cores take three hours. The changes to the recipes are what fits into that.
set -euo pipefail
scores=$1 corpus=$2/synthetic runs=$2/runs evaluator=${3:+--judge $3}
brief=(training.precision=bf16-mixed training.validate_first=false training.workers=1)

ictus data prepare synthetic --data "$scores" --out "$corpus" --hours 0.8 --split val --workers 2 --seed 0
ictus data prepare synthetic --data "$scores" --out "$corpus" --hours 6 --split train --workers 2 --seed 0
train() { ictus train "recipes/$1.yaml" --data "$corpus" --out "$runs/$1" --resume --set "${brief[@]}" "${@:2}"; }
train plain
train cnn-lstm training.epochs=60 training.batch=16 training.validate_every=4
train m2s-net training.epochs=12 training.validate_every=3 training.schedule.kind=cosine
train m2s-gan training.epochs=12 training.batch=10 training.validate_every=2 \
    training.precision=32-true penalty=standard mse=300 m2s_net="$runs/m2s-net/model"
models=()
for name in plain cnn-lstm m2s-gan; do models+=(--model "$runs/$name/model"); done
# shellcheck disable=SC2086
ictus evaluate conducting --data "$corpus" "${models[@]}" $evaluator --critic "$runs/m2s-gan/model/critic" --seeds 3 \
    --show "$runs/shown" -o "$runs/table.json" -o "$runs/table.md" -o "$runs/table.csv"
for name in plain cnn-lstm m2s-gan; do
    python scripts/ship.py "$name" "$runs/$name/model" --table "$runs/table.json"
done
python scripts/ship.py m2s-net "$runs/m2s-net/model"
