package pdf417

import "testing"

// TestClusters: each pattern follows the standard's rules.
func TestClusters(t *testing.T) {
	if len(clusters) != 3*929*2 {
		t.Fatalf("%d bytes", len(clusters))
	}
	for cluster := range 3 {
		seen := map[int]bool{}
		for word := range 929 {
			p := pattern(cluster, word)
			if seen[p] {
				t.Errorf("%d %d: twice", cluster, word)
			}
			seen[p] = true
			var w []int
			for bit, last := wordWidth-1, -1; bit >= 0; bit-- {
				if v := p >> bit & 1; v != last {
					w, last = append(w, 0), v
				}
				w[len(w)-1]++
			}
			if len(w) != 8 || (w[0]-w[2]+w[4]-w[6]+9)%9 != 3*cluster {
				t.Errorf("%d %d: %v", cluster, word, w)
			}
			for _, n := range w {
				if n > 6 {
					t.Errorf("%d %d: %v", cluster, word, w)
				}
			}
		}
	}
}
