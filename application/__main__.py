from application.commands.main import main

main()
