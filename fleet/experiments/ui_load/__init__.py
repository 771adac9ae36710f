"""Headlamp's frontend over many objects: what a list, a watch event and the heap cost, in Node and in Chromium."""
