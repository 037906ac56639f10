package webpage

import "strconv"

// Tick is a line across a drawing, its label at Text.
type Tick struct{ At, Text, Label string }

// Point is a dot in a drawing.
type Point struct{ X, Y, Class, Label string }

// Pixel is a place in a drawing.
func Pixel(v float64) string { return strconv.FormatFloat(v, 'f', 1, 64) }
