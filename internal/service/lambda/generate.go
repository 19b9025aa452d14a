package lambda

//go:generate go run -C ../../../tools ./apigen lambda
