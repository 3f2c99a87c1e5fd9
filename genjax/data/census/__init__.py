"""A census of a data source before training: what is in it, and the flags to train on it."""

from genjax.data.census.counts import Census, FileCounts, Values
from genjax.data.census.take import take_census
