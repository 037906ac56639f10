package unit

// DurationColumn shows the durations of a column in one unit: that of the shortest,
// or a coarser one where the longest would take more than four digits in it, with
// two decimals at most.
func DurationColumn(column []Duration) func(Duration) string {
	show := columnScale(column, timeScales)
	if show == nil {
		return Duration.Text
	}
	return func(d Duration) string {
		if d <= 0 {
			return d.Text()
		}
		return show(float64(d))
	}
}

// SizeColumn shows the sizes of a column in one unit, by the same rule.
func SizeColumn(column []Size) func(Size) string {
	show := columnScale(column, sizeScales)
	if show == nil {
		return Size.Text
	}
	return func(s Size) string {
		if s <= 0 {
			return s.Text()
		}
		return show(float64(s))
	}
}

// columnPlaces is how many decimals a column shows.
const columnPlaces = 2

// mostColumn is what the longest value of a column stays under in its unit.
const mostColumn = 9999.5

// columnScale shows the values above 0 of a column; nil when there is none, or
// when all take minutes.
func columnScale[T Duration | Size](column []T, scales []scale) func(float64) string {
	var least, most float64
	for _, v := range column {
		if v := float64(v); v > 0 {
			most = max(most, v)
			if least == 0 || v < least {
				least = v
			}
		}
	}
	if least == 0 || scales[0].name == " s" && least >= minuteFrom {
		return nil
	}
	i := len(scales) - 1
	for i > 0 && (least >= scales[i-1].from || most/scales[i].factor >= mostColumn) {
		i--
	}
	s := scales[i]
	return func(v float64) string {
		v /= s.factor
		p := places(v)
		if p > columnPlaces {
			p = max(columnPlaces, p-2) // one digit is left of what is tiny beside the others
		}
		return digits(v, p) + s.name
	}
}
