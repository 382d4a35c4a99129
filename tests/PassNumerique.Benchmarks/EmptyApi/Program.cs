// What the framework alone costs: the measure that `startup` holds the service against.
var app = WebApplication.CreateBuilder(args).Build();
app.MapGet("/health/ready", () => "ready");
app.Run();
