package logs

//go:generate go run -C ../../../tools ./apigen logs
