#!/usr/bin/env bash
# Makes the beat trackers that the package ships: corpora, training, evaluation, model cards.
#     bash scripts/beat_trackers.sh SCORES SOUNDFONTS WORK
# SCORES: a folder of scores, see `ictus data prepare synthetic`; two works of it are set aside for validation.
# SOUNDFONTS: a folder with FluidR3_GM.sf2, MuseScore_General_Lite.sf3 and TimGM6mb.sf2, as Debian packages them; the
# last is only measured with in the end. WORK: where the corpora and the runs go. Two CPU cores take four hours.
set -euo pipefail
scores=$1 fonts=$2 work=$3
known=(--soundfont "$fonts/FluidR3_GM.sf2" --soundfont "$fonts/MuseScore_General_Lite.sf3")

prepare() { ictus data prepare synthetic --data "$scores" --out "$work/$1" --workers 2 --music "${@:2}"; }
prepare learned --split train --hours 13 --seed 11 --songs 0.3 --piano 0.33 "${known[@]}"
prepare heldout --split val --hours 1.2 --seed 12 --songs 0.33 --piano 0.4 "${known[@]}"
prepare held-out-soundfont --split val --hours 1.2 --seed 13 --songs 0.33 --piano 0.4 --soundfont "$fonts/TimGM6mb.sf2"
python scripts/set_aside.py "$work/learned" Beethoven_Op.92 Brahms_Op.90

common=(training.epochs=1000 training.workers=1 training.validate_first=false training.validate_every=5)
ictus train recipes/beat-tracker.yaml --data "$work/learned" --out "$work/beat-tracker" --resume \
    --set "${common[@]}" training.steps=4000
ictus train recipes/online-beat-tracker.yaml --data "$work/learned" --out "$work/online-beat-tracker" --resume \
    --set "${common[@]}" training.steps=1800
ictus evaluate beats --data "$work/heldout" --model "$work/beat-tracker/model" --model maestro \
    --model classical -o "$work/heldout.json" -o "$work/heldout.md"
ictus evaluate beats --data "$work/heldout" --model "$work/online-beat-tracker/model" \
    -o "$work/online.json"
ictus evaluate beats --data "$work/held-out-soundfont" --model "$work/beat-tracker/model" -o "$work/held-out-soundfont.md"
python scripts/ship.py beat-tracker "$work/beat-tracker/model" --table "$work/heldout.json"
python scripts/ship.py online-beat-tracker "$work/online-beat-tracker/model" --table "$work/online.json"
