"""Put a trained model into the package: its weights, and a model card that says what they are.

    python scripts/ship.py NAME RUN/model [--table TABLE.json]

NAME is one of `CARDS`; the weights go to src/ictus/weights/NAME. TABLE is what `ictus evaluate -o TABLE.json` has
written; the rows of RUN/model come into the card, and those of the controls.
"""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ictus.nn.folder import CONFIG, read_config
from ictus.registry import load_network

WEIGHTS = Path(__file__).parents[1] / "src" / "ictus" / "weights"
LICENCE = "CC BY-SA 4.0"
LARGE = 9_000_000  # bytes beyond which weights are shipped as float16
CONTROLS = (
    *("ground truth", "shuffled pairs", "classical", "other music", "standing still", "random phrases"),
    *("truth", "truth to other music", "other of the instrument", "other of any instrument", "mean mel"),
)

_KEPT = ("features", "skeleton", "fps", "frame_rate", "movement", "instruments", "epoch", "step")

_SCORES = (
    "scores of OpenScore Orchestra (CC0), each minute another place, performance and orchestra; tempo curves of real "
    "performances from the Hauptstimme annotations (CC BY-SA)"
)
_HELD_OUT = "Held out: Beethoven's Symphony No. 8 and Brahms' Symphony No. 2"
_CONDUCTED = (
    f"Six hours of {_SCORES}, played by Ictus' own orchestra and conducted from the true beats by its own gestures: "
    f"all music and all motion is synthetic. {_HELD_OUT}."
)
_TRACKED = (
    f"Eighteen hours of {_SCORES}, of songs with piano and string quartets (OpenScore Lieder and String Quartets, "
    "CC0), and of popular songs in nineteen styles that Ictus invents, most of them with real drummers' grooves "
    "(Groove MIDI Dataset, CC BY 4.0); played by Ictus' own orchestra and through three SoundFonts (FluidR3 GM, "
    "MuseScore General, sf_GMbank), as written, on a piano, or by other players, each minute as three recordings "
    "of it might sound. All of it is synthetic; the beats are those of the score, {}. Chosen by Beethoven's No. "
    f"7, Brahms' No. 3, and by songs and quartets of other composers. {_HELD_OUT}."
)
_COUNTED, _SHOWN = "as people count them", "at the level that is conducted"
_CONDUCTS = (
    "It has seen synthetic music and synthetic conducting only. What it makes of recordings, other styles and real "
    "conductors is not measured. It is no substitute for `maestro`, which marks the beats."
)
_EVALUATES = (
    "It has seen synthetic music and synthetic conducting only. As an evaluator of models that were trained on the "
    "same corpus it is not independent."
)
_TRACKS = (
    "On real recordings of classical music it is far weaker than on music that is rendered; see the guide. Free "
    "recitatives, music without a pulse, metres other than 2, 3, 4 and 6, and metres that change often are tracked "
    "badly."
)
_DANCES = (
    "It has the phrases of a few short dances, of nine genres of street and jazz dance, and no others. Because "
    "they are of AIST++'s test split, its figures on that split mean nothing."
)
_PLAYED = (
    "{} of solo parts from OpenScore Orchestra (CC0), played by Ictus' own procedural players of six "
    "instruments, as a camera would see their 47 keypoints, through two SoundFonts (FluidR3 GM, MuseScore General); "
    "all sound and all motion is synthetic. Held out: other scores."
)
_PLAYS = (
    "It has seen synthetic players only, whose fingers, bows and slides follow the notes exactly. Of real players a "
    "camera sees less; what it makes of them is not measured."
)
_SCORES_BY = "OpenScore Orchestra and Hauptstimme (M. Gotham et al.)"


@dataclass(frozen=True)
class Card:
    """What is said of a model beside its figures; `script` makes it, by `recipe`."""

    description: str
    recipe: str
    data: str
    limits: str
    script: str = "conductors.sh"
    art: str = "conducting"
    thanks: str = _SCORES_BY
    held_out: str = "music that was held out"


CARDS = {
    "plain": Card("One constant pose: what every other conductor must beat", "plain", _CONDUCTED, _CONDUCTS),
    "cnn-lstm": Card(
        "The Prospective Cup's CNN-LSTM baseline: mel to conductor-13 by mean squared error",
        "cnn-lstm",
        _CONDUCTED,
        _CONDUCTS,
    ),
    "m2s-net": Card(
        "M2S-Net: how well a conductor's motion fits the music, frame by frame", "m2s-net", _CONDUCTED, _EVALUATES
    ),
    "m2s-gan": Card(
        "M2S-GAN (VirtualConductor): mel and noise to conductor-13; beside the published losses a mean squared error, "
        "and the standard gradient penalty",
        "m2s-gan",
        _CONDUCTED,
        _CONDUCTS,
    ),
    "beat-tracker": Card(
        "Beats and downbeats of any music, from the whole piece",
        "beat-tracker",
        _TRACKED.format(_COUNTED),
        _TRACKS,
        "beat_trackers.sh",
    ),
    "online-beat-tracker": Card(
        "Beats and downbeats of music while it sounds, 83 ms behind",
        "online-beat-tracker",
        _TRACKED.format(_SHOWN),
        _TRACKS,
        "beat_trackers.sh",
    ),
    "fact": Card(
        "FACT, small (AI Choreographer): two seconds of dance and four of music to the frames that follow",
        "fact-small",
        "Four real dances of AIST++ (krump and pop, whose dancers mark the beats most; Li, Yang, Ross & Kanazawa, ICCV "
        "2021; 36 s, CC BY 4.0; of its test split, two seconds at a time re-fitted), cut into phrases and set by Ictus "
        f"on the beats of 24 minutes of music that it makes itself: popular songs that it invents, and {_SCORES}. "
        f"{_HELD_OUT}.",
        "It has the phrases of four short dances, krump and pop, and no others. It dances small: from sound alone "
        "it moves little more than half as fast as the dances that it was trained on. Left alone it may lean or "
        "float, and `ictus dance` then lets it begin anew from a standing pose. Because the dances are of AIST++'s "
        "test split, figures on that split mean nothing.",
        "dancers.sh",
        "dance",
        f"AIST++ and {_SCORES_BY}",
    ),
    "choreographer": Card(
        "Real dances, memorised by a network, whose phrases are set on the beats of any music, in ten genres",
        "motion-memory",
        "Fourteen real dances of AIST++ (Li, Yang, Ross & Kanazawa, ICCV 2021; CC BY 4.0; of its test split, two "
        "seconds at a time re-fitted): those of seventeen that move; and eighteen takes of modern dance, 144 seconds "
        "(CMU Graphics Lab, subject 05). No music.",
        "It has the phrases of 32 short dances, 266 seconds of nine genres of street and jazz dance and modern dance, "
        "and no others. Because some are of AIST++'s test split, its figures on that split mean nothing. The dances "
        "that it is compared with in the table were set from AIST++'s alone.",
        "dancers.sh",
        "dance",
        "AIST++ and the CMU Graphics Lab Motion Capture Database: the data used in this project was obtained from "
        "mocap.cs.cmu.edu; the database was created with funding from NSF EIA-0196217",
    ),
    "melody": Card(
        "The LSTM autoencoder of Dance with Melody: the sound of each beat to a pose per frame; eight grooves",
        "melody-choreography",
        "One beat each of eight real dances of AIST++, of as many genres (Li, Yang, Ross & Kanazawa, ICCV 2021; CC BY "
        "4.0; of its test split), danced over and over, each for eight seconds, larger where the music is loud, to an "
        f"hour of music that Ictus makes itself: popular songs that it invents, and {_SCORES}. {_HELD_OUT}. These "
        "beats were chosen because they mark the music's when they are repeated (BeatAlign of .75 and more), so that "
        "the BeatAlign below is in part chosen for.",
        "It knows eight grooves and nothing else. It does not know what it has just danced: on dances that vary, such "
        "a network predicts little more than the mean pose.",
        "dancers.sh",
        "dance",
        f"AIST++ and {_SCORES_BY}",
    ),
    "soloist": Card(
        "A player's 47 keypoints to the sound of six instruments: a transformer over the codes of mel spectrograms",
        "soloist-small",
        _PLAYED.format("Fifteen hours") + " Codebook, keypoint encoder and vocoder: three of these hours.",
        _PLAYS,
        "soloists.sh",
        "sound",
    ),
    "instrument-classifier": Card(
        "Classifies six instruments by their sound; its features stand in for Melception's in `ictus evaluate sound`",
        "instrument-classifier",
        _PLAYED.format("Three hours"),
        "It was trained on two SoundFonts only; its values compare with each other, and with no published ones.",
        "soloists.sh",
        "sound",
    ),
    "lifter": Card(
        "Points of a person in a film, as the engine blaze finds them, to the joints of the dancer in space",
        "lifter",
        "Eleven real dances of AIST++ (Li, Yang, Ross & Kanazawa, ICCV 2021; 96 s, CC BY 4.0; of its test split, two "
        "seconds at a time re-fitted) and 20 takes of modern and Indian dance (CMU Graphics Lab, subjects 05 and 94), "
        "turned and tilted by chance, drawn with the package's own figure and found in the pictures by MediaPipe's "
        "networks; every third view shows no legs. So its errors are those of the engine. Held out: six dances of "
        "waack, krump, lock and jazz ballet, their dancers and their music.",
        "It has seen drawn dancers only, all of one body, from one distance; nobody who sits, and no clothes. Of real "
        "players behind instruments it makes the arms worse, so that it is used only where it is asked "
        "for. Figures "
        "on AIST++'s test split mean nothing but for the dances that were held out.",
        "lifter.sh",
        "pose",
        "AIST++ and the CMU Graphics Lab Motion Capture Database: the data used in this project was obtained from "
        "mocap.cs.cmu.edu; the database was created with funding from NSF EIA-0196217",
        "dances that were held out",
    ),
}


def described(number: dict[str, float]) -> str:
    return f"{number['value']:.3g} ({number['low']:.3g} to {number['high']:.3g})"


def chosen_rows(rows: list[dict[str, Any]], model: str) -> list[dict[str, Any]]:
    """Return the rows of a model, by groups of music where there are any, and of the controls."""
    chosen = [row for row in rows if row["model"].split(", ")[0] in (*CONTROLS, model)]
    if not any(row["model"].startswith(model) for row in chosen):
        raise SystemExit(f"the table has no row of {model}; evaluate it first, by the same path")
    return [{**row, "model": row["model"].replace(model, "this model")} for row in chosen]


def as_markdown(rows: list[dict[str, Any]]) -> str:
    metrics = list(dict.fromkeys(metric for row in rows for metric in row["figures"]))
    lines = [["", *metrics], ["---"] * (len(metrics) + 1)]
    for row in rows:
        figures = row["figures"]
        lines.append([row["model"], *(described(figures[m]) if m in figures else "-" for m in metrics)])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def in_a_line(figures: dict[str, dict[str, float]]) -> str:
    all_names = (
        *(("rde", "sce", "sdp"), ("beat_f", "downbeat_f", "metre"), ("beat_fact", "fid_k_fact", "dist_k_fact")),
        ("onset_f", "chroma", "instrument"),
    )
    names = next(names for names in all_names if names[0] in figures)
    return ", ".join(f"{name} {figures[name]['value']:.2f}" for name in names if name in figures)


def shown(recipe: dict[str, Any]) -> dict[str, Any]:
    """Return a recipe without the places of files on the machine that trained."""
    return {
        key: value for key, value in recipe.items() if key not in ("data", "init", "m2s_net", "codebook", "keypoints")
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=CARDS)
    parser.add_argument("model", type=Path)
    parser.add_argument("--table", type=Path)
    options = parser.parse_args()

    card, run = CARDS[options.name], read_config(options.model)["metadata"]
    network = load_network(options.model)
    if options.table:
        rows = chosen_rows(json.loads(options.table.read_text()), str(options.model))
        its_own = [row for row in rows if row["model"] == "this model"] or rows
        scores = in_a_line([row["figures"] for row in its_own if row["model"].startswith("this model")][-1])
        figures = (
            f"On music that was held out, with 95 % intervals; `ictus evaluate` explains them.\n\n{as_markdown(rows)}"
        )
    else:
        scores = ", ".join(f"{key} {value:.3g}" for key, value in run["validation"].items() if "loss" not in key)
        figures = f"On {card.held_out}: {scores}.\n"
    metadata = {
        "art": card.art,
        "description": card.description,
        "licence": LICENCE,
        "scores": scores,
        **{key: run[key] for key in _KEPT if key in run},
        "recipe": shown(run["recipe"]),
    }
    text = (
        f"# {options.name}\n\n{card.description}. {sum(p.numel() for p in network.parameters()):,} parameters.\n\n"
        f"## Trained on\n\n{card.data}\n\n"
        f"## How\n\n`bash scripts/{card.script}` makes it again: recipes/{card.recipe}.yaml, {run['epoch']} epochs, "
        f"{run['step']} steps, on two CPU cores. config.json holds the recipe with all its values.\n\n"
        f"## Figures\n\n{figures}\n## Limits\n\n{card.limits}\n\n"
        f"## Licence\n\n{LICENCE}, with attribution to {card.thanks}.\n"
    )
    size = sum(p.numel() * p.element_size() for p in network.parameters())
    network.save_pretrained(WEIGHTS / options.name, metadata, text, half=size > LARGE)
    for part in sorted(file.parent for file in options.model.glob(f"*/{CONFIG}")):  # what it cannot do without
        facts = read_config(part)["metadata"]
        known = {"art": card.art, "recipe": shown(facts["recipe"]), "validation": facts["validation"]}
        inner = load_network(part)
        inner.metadata = {}
        inner.save_pretrained(WEIGHTS / options.name / part.name, {**facts, **known}, half=True)


if __name__ == "__main__":
    main()
