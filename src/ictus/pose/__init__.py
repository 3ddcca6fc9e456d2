"""Films of people into keypoints: engines that find a person in pictures, and what follows them over time.

    film -> estimate -> Motion          or, with confidences and metres,          film -> track -> Track

Whoever brings another engine writes a `PoseEstimator` (docs/pose.md).
"""

from ictus.pose.bodies import motion_of, points_of
from ictus.pose.estimation import estimate, track
from ictus.pose.estimator import Person, Picture, PoseEstimator
from ictus.pose.following import Follower
from ictus.pose.person_track import Track

__all__ = ["Follower", "Person", "Picture", "PoseEstimator", "Track", "estimate", "motion_of", "points_of", "track"]
