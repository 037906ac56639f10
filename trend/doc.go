// Package trend lays the results of many runs of one scenario along time and
// marks where a figure went to another level by more than chance.
package trend
