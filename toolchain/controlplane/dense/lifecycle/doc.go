// Package lifecycle is when the control planes of a dense process start and stop: nothing here knows what one is made of,
// so that its tests run with the race detector in seconds.
//
// Host holds all planes and converges them to what is wanted; plane is one of them and its states; gate bounds how many
// start or stop at a time.
package lifecycle
