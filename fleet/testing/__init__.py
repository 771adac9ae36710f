"""Fakes of the outside world, for the tests of this project and of its users. No other package imports them."""
