#!/usr/bin/env bash
# Makes the beat trackers that the package ships: corpora, training, evaluation, model cards.
#     bash scripts/beat_trackers.sh DATA SOUNDFONTS WORK
# DATA: a folder with openscore/ (orchestral scores and recordings' timing), lieder/, quartets/ (scores), groove/ (the
# Groove MIDI Dataset, unpacked) and, to measure on alone, real_beats/.
# SOUNDFONTS: a folder with FluidR3_GM.sf2, MuseScore_General_Full.sf2, sf_GMbank.sf2 and TimGM6mb.sf2, as Debian packages
# them; the last is only measured with in the end. WORK: where the corpora and the runs go. Two CPU cores take four hours.
set -euo pipefail
data=$1 fonts=$2 work=$3
known=(--soundfont "$fonts/FluidR3_GM.sf2" --soundfont "$fonts/MuseScore_General_Full.sf2")
learned=("${known[@]}" --soundfont "$fonts/sf_GMbank.sf2")

# What is learned, and what weights are chosen on: a few composers of songs and quartets, two orchestral works, and songs.
prepare() { ictus data prepare beats --data "$data/$1" --out "$work/$2" --workers 2 "${learned[@]}" "${@:3}"; }
prepare openscore orchestral --split train --hours 5 --seed 21 --piano 0.25
prepare lieder lieder --split train --hours 4 --seed 21 --piano 0.25
prepare lieder lieder --split val --hours 0.4 --seed 21 --piano 0.25
prepare quartets quartets --split train --hours 3 --seed 21 --piano 0.25
prepare quartets quartets --split val --hours 0.35 --seed 21 --piano 0.25
prepare lieder band --split train --hours 3 --seed 21 --songs 1 --grooves "$data/groove"
prepare lieder band --split val --hours 0.3 --seed 21 --songs 1 --grooves "$data/groove"
prepare quartets quartets-others --split train --hours 2.5 --seed 22 --reorchestrated 1
prepare openscore openscore-others --split train --hours 1.3 --seed 22 --reorchestrated 1
python scripts/set_aside.py "$work/orchestral" Beethoven_Op.92 Brahms_Op.90
python scripts/set_aside.py "$work/openscore-others" Beethoven_Op.92 Brahms_Op.90
python scripts/join_corpora.py "$work/learned" "$work"/{orchestral,lieder,quartets,band} "$work"/*-others

# What is measured on.
rendered() { ictus data prepare synthetic --data "$data/openscore" --out "$work/$1" --workers 2 --music --split val "${@:2}"; }
rendered heldout --hours 1.2 --seed 12 --songs 0.33 --piano 0.4 "${known[@]}"
rendered held-out-soundfont --hours 1 --seed 13 --songs 0.33 --piano 0.4 --soundfont "$fonts/TimGM6mb.sf2"
for kind in lieder quartets; do
    ictus data prepare beats --data "$data/$kind" --out "$work/test-$kind" --split test --hours 0.4 --seed 21 \
        --recordings 0 "${known[@]}"
done

common=(training.epochs=1000 training.workers=1 training.validate_first=false)
ictus train recipes/beat-tracker.yaml --data "$work/learned" --out "$work/beat-tracker" --resume \
    --set "${common[@]}" training.steps=8000
ictus train recipes/online-beat-tracker.yaml --data "$work/learned" --out "$work/online-beat-tracker" --resume \
    --set "${common[@]}" training.steps=5000
for kind in heldout held-out-soundfont test-lieder test-quartets; do
    split=$([[ $kind == test-* ]] && echo test || echo val)
    ictus evaluate beats --data "$work/$kind" --split "$split" --model "$work/beat-tracker/model" \
        --model "$work/online-beat-tracker/model" --model maestro --model classical -o "$work/$kind.json" -o "$work/$kind.md"
done
ictus evaluate beats --data "$data/real_beats" --model "$work/beat-tracker/model" --model classical --model librosa \
    -o "$work/real.md"
python scripts/ship.py beat-tracker "$work/beat-tracker/model" --table "$work/heldout.json"
python scripts/ship.py online-beat-tracker "$work/online-beat-tracker/model" --table "$work/heldout.json"
