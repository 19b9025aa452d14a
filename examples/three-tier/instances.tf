data "aws_ami" "al2023" {
  most_recent = true
  owners      = ["amazon"]

  filter {
    name   = "name"
    values = ["al2023-ami-2023.*-x86_64"]
  }
}

resource "aws_instance" "data" {
  ami                    = data.aws_ami.al2023.id
  instance_type          = "t3.micro"
  subnet_id              = aws_subnet.main["data-1"].id
  vpc_security_group_ids = [aws_security_group.tier["data"].id]
  tags                   = { Name = "data" }
  user_data              = <<-EOT
    #!/bin/sh
    mkdir -p /tmp/www && cd /tmp/www && echo "rows" > index.html
    python3 -m http.server 5432 >/dev/null 2>&1 &
  EOT
}

resource "aws_instance" "app" {
  ami                    = data.aws_ami.al2023.id
  instance_type          = "t3.micro"
  subnet_id              = aws_subnet.main["app-0"].id
  vpc_security_group_ids = [aws_security_group.tier["app"].id]
  tags                   = { Name = "app" }
  user_data              = <<-EOT
    #!/bin/sh
    while :; do
      echo "from the data tier: $(curl -s --max-time 2 http://${aws_instance.data.private_ip}:5432/ || echo nothing)"
      sleep 2
    done
  EOT
}

output "app" {
  value = aws_instance.app.id
}
