package diagram

// An icon is a white drawing on a tile of its category's colour, on a canvas of 40 by 40.
type icon struct {
	category string // compute, network, storage, security, other
	drawing  string
}

// icons are our own drawings. The categories' colours are those that people know from AWS.
func icons() map[string]icon {
	return map[string]icon{
		"function":         {"compute", `<path d="M13 9h6l9 22M19.4 18.6 12.5 31"/>`},
		"interface":        {"network", `<rect x="9" y="11" width="22" height="14" rx="2"/><path d="M14 25v5M20 25v5M26 25v5M14 16h5M14 20h3"/>`},
		"nat":              {"network", `<path d="M9 15h15M9 25h15M20 10.5l4.5 4.5-4.5 4.5M20 20.5l4.5 4.5-4.5 4.5M30.5 9v22"/>`},
		"internet-gateway": {"network", `<path d="M10 31V19a10 10 0 0 1 20 0v12M15.5 31V19a4.5 4.5 0 0 1 9 0v12M8 31h24"/>`},
		"endpoint":         {"network", `<circle cx="12.5" cy="20" r="4"/><circle cx="27.5" cy="20" r="4"/><path d="M16.5 20h7M20 9v5M20 26v5M9 9h22M9 31h22"/>`},
		"storage":          {"storage", `<ellipse cx="20" cy="12" rx="10.5" ry="3.5"/><path d="M9.5 12l2.7 16.5c.4 3.3 15.2 3.3 15.6 0L30.5 12"/>`},
		"security":         {"security", `<path d="M20 8.5l9.5 3.5v7.5c0 6-4 10-9.5 12-5.5-2-9.5-6-9.5-12V12zM15.5 20l3.2 3.2 6-6"/>`},
		"service":          {"other", `<path d="M13.5 28a6 6 0 0 1-.6-11.9 8 8 0 0 1 15-1 6.5 6.5 0 0 1-.9 12.900z"/>`},
		"internet":         {"other", `<circle cx="20" cy="20" r="11"/><ellipse cx="20" cy="20" rx="4.8" ry="11"/><path d="M9 20h22"/>`},
	}
}
