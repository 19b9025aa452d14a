package diagram

// An icon is a white drawing on a tile of its category's colour, on a canvas of 40 by 40.
type icon struct {
	category string // compute, network, storage, security, other
	path     string // of strokes, as in an SVG path; of its commands those that subpaths reads
}

// icons are our own drawings. The categories' colours are those that people know from AWS.
func icons() map[string]icon {
	return map[string]icon{
		"function":         {"compute", "M13 9h6l9 22M19.4 18.6L12.5 31"},
		"instance":         {"compute", "M12 12h16v16h-16zM16.5 16.5h7v7h-7zM16 12v-4M20 12v-4M24 12v-4M16 32v-4M20 32v-4M24 32v-4M12 16h-4M12 20h-4M12 24h-4M32 16h-4M32 20h-4M32 24h-4"},
		"interface":        {"network", "M11 11h18a2 2 0 0 1 2 2v10a2 2 0 0 1 -2 2h-18a2 2 0 0 1 -2 -2v-10a2 2 0 0 1 2 -2zM14 25v5M20 25v5M26 25v5M14 16h5M14 20h3"},
		"nat":              {"network", "M9 15h15M9 25h15M20 10.5l4.5 4.5l-4.5 4.5M20 20.5l4.5 4.5l-4.5 4.5M30.5 9v22"},
		"internet-gateway": {"network", "M10 31v-12a10 10 0 0 1 20 0v12M15.5 31v-12a4.500 4.500 0 0 1 9 0v12M8 31h24"},
		"egress-only":      {"network", "M10 31v-12a10 10 0 0 1 20 0v12M8 31h24M20 31v-11M16 23.500l4 -4l4 4"},
		"endpoint":         {"network", "M8.5 20a4 4 0 1 0 8 0a4 4 0 1 0 -8 0zM23.5 20a4 4 0 1 0 8 0a4 4 0 1 0 -8 0zM16.5 20h7M20 9v5M20 26v5M9 9h22M9 31h22"},
		"peering":          {"network", "M8 12h9v16h-9zM23 12h9v16h-9zM17 17h6M17 23h6"},
		"balancer":         {"network", "M7.500 20a4 4 0 1 0 8 0a4 4 0 1 0 -8 0zM15.500 20h6M21.500 20v-9h4M21.500 20h4M21.500 20v9h4M25.500 8.500h5.500v5h-5.500zM25.500 17.500h5.500v5h-5.500zM25.500 26.500h5.500v5h-5.500z"},
		"storage":          {"storage", "M9.5 12a10.5 3.5 0 1 0 21 0a10.5 3.5 0 1 0 -21 0zM9.5 12l2.7 16.5c.4 3.3 15.2 3.3 15.6 0L30.5 12"},
		"security":         {"security", "M20 8.5l9.5 3.5v7.5c0 6 -4 10 -9.5 12c-5.5 -2 -9.5 -6 -9.5 -12V12zM15.5 20l3.2 3.2l6 -6"},
		"service":          {"other", "M13.500 28a6 6 0 0 1 -.6 -11.9a8 8 0 0 1 15 -1a6.500 6.500 0 0 1 -.9 12.900z"},
		"internet":         {"other", "M9 20a11 11 0 1 0 22 0a11 11 0 1 0 -22 0zM15.2 20a4.800 11 0 1 0 9.600 0a4.800 11 0 1 0 -9.600 0zM9 20h22"},
	}
}
