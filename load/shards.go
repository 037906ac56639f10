package load

// Part is a shard's share of n things: the shares of all add up to n, but that
// each is one at least. Of nothing all have nothing.
func Part(n int64, shard, shards int) int64 {
	if shards <= 1 || n <= 0 {
		return n
	}
	i, of := int64(shard), int64(shards)
	return max(1, n*(i+1)/of-n*i/of)
}
