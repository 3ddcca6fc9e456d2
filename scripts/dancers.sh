#!/usr/bin/env bash
# Makes the dancers that the package ships: corpora, training, evaluation, model cards.
#     bash scripts/dancers.sh SONGS DANCES MODERN WORK
# SONGS: the folder that scripts/beat_trackers.sh has worked in: its learned/ is danced to, its heldout/ is kept for the end.
# DANCES: a folder of real dances, see `ictus data prepare choreography`; MODERN: one of modern dances, CMU's subject 05,
# which the choreographer has beside them. WORK: where the corpora and the runs go.
# Two CPU cores take two hours.
set -euo pipefail
songs=$1 dances=$2 modern=$3 work=$4

choreograph() { ictus data prepare choreography --dances "$dances" --workers 2 "$@"; }
choreograph --data "$songs/learned" --out "$work/aist" --split val --hours 0.5
choreograph --data "$songs/learned" --out "$work/aist" --split train --hours 5
two=(--genre KR --genre PO --data "$songs/learned" --out "$work/krump-pop") # whose dancers mark the beats most
choreograph "${two[@]}" --split val --hours 0.1
choreograph "${two[@]}" --split train --hours 0.4
groove=(--form melody --steady --data "$songs/learned" --out "$work/melody")
choreograph "${groove[@]}" --split val --hours 0.2
choreograph "${groove[@]}" --split train --hours 1
choreograph --data "$songs/heldout" --out "$work/heldout" --split val --hours 0.5 --sound

common=(training.workers=1 training.validate_first=false training.validate_every=10)
ictus train recipes/fact-small.yaml --data "$work/krump-pop" --out "$work/fact" --resume --set "${common[@]}"
ictus train recipes/melody-choreography.yaml --data "$work/melody" --out "$work/autoencoder" --resume --set "${common[@]}"
mkdir -p "$work/dances/modern"
cp -r "$dances"/. "$work/dances" && cp -r "$modern"/. "$work/dances/modern"
ictus train recipes/motion-memory.yaml --data "$work/dances" --out "$work/repertoire" --resume --set training.workers=0
ictus evaluate dance --data "$work/heldout" --unseeded --model "$work/repertoire/model" --model "$work/fact/model" \
    --model "$work/autoencoder/model" -o "$work/dancers.json" -o "$work/dancers.md"
python scripts/ship.py choreographer "$work/repertoire/model" --table "$work/dancers.json"
python scripts/ship.py fact "$work/fact/model" --table "$work/dancers.json"
python scripts/ship.py melody "$work/autoencoder/model" --table "$work/dancers.json"
