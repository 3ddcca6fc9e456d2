#!/usr/bin/env bash
# Makes the table of docs/systems/baselines.md: corpora, three small networks, and their rows beside those of the shipped.
#     bash scripts/baselines.sh SCORES DANCES WORK
# SCORES: a folder of scores, see `ictus data prepare synthetic`. DANCES: a folder of real dances, see `ictus data prepare
# choreography`. WORK: where the corpora and the runs go. One CPU core takes half an hour.
set -euo pipefail
scores=$1 dances=$2 work=$3

prepare() { ictus data prepare synthetic --data "$scores" --out "$work/$1" --music "${@:2}"; }
prepare learned --split train --hours 1 --seed 11 --songs 0.3 --piano 0.33
prepare heldout --split val --hours 0.34 --seed 12 --songs 0.33 --piano 0.4

choreograph() { ictus data prepare choreography --dances "$dances" "$@"; }
choreograph --data "$work/learned" --out "$work/dances" --split train
choreograph --data "$work/heldout" --out "$work/danced" --split val --sound
mkdir -p "$work/dances/val"
for dance in gBR_30 gBR_38 gLH_39 gLO_24 gLO_4 gWA_1; do # a tenth, to choose the best checkpoint by
    if [ -d "$work/dances/train/$dance" ]; then mv "$work/dances/train/$dance" "$work/dances/val/"; fi
done

models=()
for network in dance-revolution two-stream-motion-transformer dance-net; do
    ictus train "recipes/$network-small.yaml" --data "$work/dances" --out "$work/$network" --resume \
        --set training.workers=0 training.validate_first=false
    models+=(--model "$work/$network/model")
done
ictus evaluate dance --data "$work/danced" --unseeded --model choreographer --model fact "${models[@]}" \
    -o "$work/baselines.json" -o "$work/baselines.md"
