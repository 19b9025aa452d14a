package elbv2

//go:generate go run -C ../../../tools ./apigen elbv2
