package cost

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Money is an amount in millionths of a US dollar. Sums of it are exact; so bills add up.
type Money int64

const dollar Money = 1_000_000

// Dollars is the amount as a number, for those who only show it.
func (m Money) Dollars() float64 { return float64(m) / float64(dollar) }

// String is the amount to the cent: $42,680.06.
func (m Money) String() string {
	sign := ""
	if m < 0 {
		sign, m = "-", -m
	}
	cents := (int64(m) + 5000) / 10000
	whole := strconv.FormatInt(cents/100, 10)
	var grouped strings.Builder
	for i, digit := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			grouped.WriteByte(',')
		}
		grouped.WriteRune(digit)
	}
	return fmt.Sprintf("%s$%s.%02d", sign, grouped.String(), cents%100)
}

// MarshalJSON writes dollars with all six digits that there are.
func (m Money) MarshalJSON() ([]byte, error) {
	sign := ""
	if m < 0 {
		sign, m = "-", -m
	}
	s := fmt.Sprintf("%s%d.%06d", sign, m/dollar, m%dollar)
	return []byte(strings.TrimSuffix(strings.TrimRight(s, "0"), ".")), nil
}

// bytesPerGB is AWS's GB: its price tiers begin at 2^20 GB for what it calls a petabyte.
const bytesPerGB = 1 << 30

// maxGB is the most traffic that is reckoned with; beyond it the sums would not fit.
const maxGB = 1e9

// bytesOf turns an amount of traffic into bytes.
func bytesOf(gb float64) uint64 { return uint64(math.Round(gb * bytesPerGB)) }

// gigabytes is for showing.
func gigabytes(bytes uint64) float64 { return float64(bytes) / bytesPerGB }

// tiered is what an amount of traffic costs, rounded once.
func tiered(tiers []Tier, bytes uint64) Money {
	var whole, rest, from uint64 // rest in millionths of a dollar and 2^30
	for _, t := range tiers {
		upTo := uint64(math.MaxUint64)
		if t.UpToGB > 0 {
			upTo = uint64(t.UpToGB) * bytesPerGB
		}
		if bytes <= from {
			break
		}
		part := min(bytes, upTo) - from
		whole += part / bytesPerGB * uint64(t.PerGB)
		rest += part % bytesPerGB * uint64(t.PerGB)
		from = upTo
	}
	return Money(whole + (rest+bytesPerGB/2)/bytesPerGB)
}

// perGB is what an amount of traffic costs at one price.
func perGB(price Money, bytes uint64) Money { return tiered([]Tier{{0, price}}, bytes) }
