"""Watches every hop of a run and samples the programs behind it: raw objects become typed event lines."""
