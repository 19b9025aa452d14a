package sts

//go:generate go run -C ../../../tools ./apigen sts
