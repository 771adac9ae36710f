"""The experiment `watch-scaling`: how many watches an API server serves before they are late or thrown off."""
