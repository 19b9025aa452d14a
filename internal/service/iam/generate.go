package iam

//go:generate go run -C ../../../tools ./apigen iam
