package ec2

//go:generate go run -C ../../../tools ./apigen ec2
