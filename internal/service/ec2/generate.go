package ec2

//go:generate go run -C ../../../tools ./apigen ec2
//go:generate go run -C ../../../tools ./apigen -filters ../internal/service/ec2/testdata/listings.txt
